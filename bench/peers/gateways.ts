import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '@gudang/embedded';
import { eventually } from '@gudang/testing/eventually';
import { startChild, startGateway } from '../live/child.ts';
import { urlOf } from './peer-schemas.ts';

/** A running gateway. */
export interface Peer {
  readonly name: string;
  /** Address of its GraphQL endpoint, also for websockets. */
  readonly url: string;
  /** Process whose CPU time is measured, with its descendants; undefined if it is unknown. */
  readonly pid: number | undefined;
  readonly subscribes: boolean;
  readonly stop: () => Promise<void>;
}

/** Version of Hive Gateway that is installed on demand. */
const HIVE = '@graphql-hive/gateway@2';
const STARTS_WITHIN_MS = 120_000;

export async function startOwn(supergraph: string): Promise<Peer> {
  const { pid, url, stop } = await startGateway({ SUPERGRAPH: supergraph, AUTH: 'off' });
  return { name: 'this gateway', url: `${url}/graphql`, pid, subscribes: true, stop };
}

/** Starts @apollo/gateway with its default data source, in Apollo's standalone server. */
export async function startApollo(supergraph: string, port: number): Promise<Peer> {
  const urls = (['items', 'ratings'] as const).map((name) => `${name}=${urlOf(name, port)}`);
  const child = await startChild('../cases/apollo-default.ts', supergraph, ...urls);
  const { port: own } = await child.ask<{ port: number }>({});
  const url = `http://127.0.0.1:${own}/`;
  return { name: '@apollo/gateway', url, pid: child.pid, subscribes: false, stop: child.stop };
}

/** Installs Hive Gateway from npm into a folder, unless it is there, and starts it with one process. */
export async function startHive(supergraph: string, folder: string): Promise<Peer> {
  const program = join(folder, 'node_modules/.bin/hive-gateway');
  await mkdir(folder, { recursive: true });
  if (!existsSync(program)) {
    await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
    const args = ['install', '--prefer-offline', '--ignore-scripts', HIVE];
    await promisify(execFile)('npm', args, { cwd: folder });
  }
  // It subscribes over websockets instead of server-sent events, as all other gateways here do.
  const config = {
    transportEntries: { '*.http': { options: { subscriptions: { kind: 'ws' } } } },
    logging: false,
  };
  await writeFile(
    join(folder, 'gateway.config.mjs'),
    `export const gatewayConfig = ${JSON.stringify(config)};\n`,
  );
  const port = await freePort();
  const args = [
    ...['supergraph', supergraph, '--port', String(port), '--host', '127.0.0.1'],
    ...['--fork', '1', '--config-path', 'gateway.config.mjs'],
  ];
  const child = spawn(process.execPath, [program, ...args], {
    cwd: folder,
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = `http://127.0.0.1:${port}/graphql`;
  await untilAnswers(url);
  const stop = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  return { name: 'Hive Gateway', url, pid: child.pid, subscribes: true, stop };
}

/** Returns a gateway that was started by hand, once it serves the supergraph. */
export async function findRunning(name: string, url: string, pid?: number): Promise<Peer> {
  await untilAnswers(url);
  return { name, url, pid, subscribes: true, stop: async () => {} };
}

async function untilAnswers(url: string): Promise<void> {
  const body = JSON.stringify({ query: '{ items(first: 1) { id rating } }' });
  const headers = { 'content-type': 'application/json' };
  await eventually(
    async () => (await fetch(url, { method: 'POST', headers, body })).text(),
    (text) => text.includes('"rating":5'),
    { until: `${url} serves the supergraph`, within: STARTS_WITHIN_MS, every: 250 },
  );
}
