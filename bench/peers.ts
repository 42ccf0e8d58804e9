/**
 * Compares gateways over the same subgraphs, in turns: this one, @apollo/gateway, Hive Gateway, and gateways
 * that the user has started. Other load on the machine affects the figures: compare them only within one run.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { argv, stderr, stdout } from 'node:process';
import { type Child, startChild } from './live/child.ts';
import { findRunning, type Peer, startApollo, startHive, startOwn } from './peers/gateways.ts';
import { type Duration, measureList, measureLive } from './peers/measure-peer.ts';
import { type PeerOptions, readPeerOptions, USAGE } from './peers/peer-options.ts';
import { composePeerSupergraph } from './peers/peer-schemas.ts';
import { PeerTable } from './peers/peer-table.ts';

const WARM_UP_MS = 2_000;

async function startPeers(options: PeerOptions, supergraph: string, port: number): Promise<Peer[]> {
  const own: readonly [name: string, start: () => Promise<Peer>][] = [
    ['this gateway', () => startOwn(supergraph)],
    ['@apollo/gateway', () => startApollo(supergraph, port)],
    ['hive gateway', () => startHive(supergraph, options.folder)],
  ];
  const peers: Peer[] = [];
  for (const [name, start] of own) {
    if (options.without.some((word) => name.startsWith(word))) continue;
    stdout.write(`Starting ${name}.\n`);
    peers.push(await start());
  }
  for (const { name, url, pid } of options.others) {
    stdout.write(`Waiting for ${name} at ${url}: start it over ${supergraph}.\n`);
    peers.push(await findRunning(name, url, pid));
  }
  return peers;
}

async function measureRound(
  table: PeerTable,
  peers: readonly Peer[],
  subgraphs: Child,
  duration: Duration,
): Promise<void> {
  for (const different of [true, false]) {
    const workload = `list of 50, ${different ? 'every request different' : 'all requests the same'}`;
    for (const peer of peers) {
      table.note(workload, peer.name, await measureList(peer, subgraphs, duration, different));
    }
  }
  for (const peer of peers.filter(({ subscribes }) => subscribes)) {
    const measured = await measureLive(peer, subgraphs, duration);
    table.note('200 clients of one stream, 20 events/s', peer.name, measured);
  }
}

async function main(options: PeerOptions): Promise<void> {
  const subgraphs = await startChild('../peers/peer-subgraphs.ts', String(options.port));
  const peers: Peer[] = [];
  try {
    const { port } = await subgraphs.ask<{ port: number }>({});
    await mkdir(options.folder, { recursive: true });
    const supergraph = join(options.folder, 'supergraph.graphql');
    await writeFile(supergraph, composePeerSupergraph(port));
    peers.push(...(await startPeers(options, supergraph, port)));
    const table = new PeerTable();
    for (let round = 1; round <= options.rounds; round += 1) {
      stdout.write(`Round ${round} of ${options.rounds}.\n`);
      const duration = { ms: options.seconds * 1_000, warmUpMs: WARM_UP_MS };
      await measureRound(table, peers, subgraphs, duration);
    }
    stdout.write(`\n${table.render(peers.map(({ name }) => name))}`);
  } finally {
    await Promise.all([subgraphs.stop(), ...peers.map(({ stop }) => stop())]);
  }
}

try {
  await main(readPeerOptions(argv.slice(2)));
} catch (error) {
  stderr.write(`${(error as Error).message}\n\n${USAGE}`);
  process.exitCode = 1;
}
