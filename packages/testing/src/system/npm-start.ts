import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { freePort } from '@gudang/embedded';
import { eventually } from '../eventually.ts';
import type { Environment, Exit } from './service-process.ts';

export const PARTS = ['gateway', 'order', 'stock', 'postgres', 'kafka'] as const;
export type PartName = (typeof PARTS)[number];

/** `npm start` with all its processes, in a folder of its own and on free ports. */
export interface NpmStart {
  /** URL of the gateway. */
  readonly url: string;
  readonly orderUrl: string;
  readonly stockUrl: string;
  /** Data folder (GUDANG_DIR). */
  readonly folder: string;
  readonly exited: Promise<Exit>;
  readonly output: () => string;
  /** Id of a part's running process; undefined if it is not running. */
  readonly pidOf: (part: PartName) => Promise<number | undefined>;
  /** Log of a part's current or last run. */
  readonly logOf: (part: PartName) => Promise<string>;
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Ids of all processes of `npm start` that still run, including its own process. */
  readonly left: () => Promise<number[]>;
  /** Kills all remaining processes and removes the folder. */
  readonly clear: () => Promise<void>;
}

const repository = fileURLToPath(new URL('../../../../', import.meta.url));
const READY_WITHIN_MS = 60_000;
const PID_FILES: Record<PartName, string> = {
  gateway: 'run/gateway.pid',
  order: 'run/order.pid',
  stock: 'run/stock.pid',
  postgres: 'postgres/postgres.pid',
  kafka: 'kafka/kafka.pid',
};

/**
 * Runs `npm start`; resolves once `npm start` reports that the system is ready.
 * @param environment extra settings; GUDANG_DIR reuses the folder of an earlier start
 */
export async function startNpmStart(environment: Environment = {}): Promise<NpmStart> {
  const folder = environment['GUDANG_DIR'] ?? (await mkdtemp(join(tmpdir(), 'gudang-start-')));
  await shareKafka(folder);
  const ports = new Set<number>();
  while (ports.size < PARTS.length) ports.add(await freePort());
  const [gateway, order, stock, postgres, kafka] = [...ports].map(String);
  const child = spawn(process.execPath, [join(repository, 'packages/embedded/dist/start.js')], {
    cwd: repository,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      JAVA_HOME: process.env['JAVA_HOME'],
      GUDANG_DIR: folder,
      GATEWAY_PORT: gateway,
      ORDER_PORT: order,
      STOCK_PORT: stock,
      POSTGRES_PORT: postgres,
      KAFKA_PORT: kafka,
      ...environment,
    } as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  process.once('exit', () => child.kill('SIGTERM'));
  const written: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => written.push(line));
  }
  let exit: Exit | undefined;
  const exited = new Promise<Exit>((resolve) => {
    child.once('close', (code, signal) => {
      exit = { code, signal };
      resolve(exit);
    });
  });
  const output = (): string => written.join('\n');

  const running: NpmStart = {
    url: `http://127.0.0.1:${gateway}`,
    orderUrl: `http://127.0.0.1:${order}`,
    stockUrl: `http://127.0.0.1:${stock}`,
    folder,
    exited,
    output,
    pidOf: async (part) => {
      const pid = Number(await readFile(join(folder, PID_FILES[part]), 'utf8').catch(() => ''));
      return pid > 0 && isAlive(pid) ? pid : undefined;
    },
    logOf: (part) => readFile(join(folder, 'logs', `${part}.log`), 'utf8'),
    kill: (signal) => void child.kill(signal),
    left: () => processesOf(folder),
    clear: async () => {
      for (const pid of await processesOf(folder)) process.kill(pid, 'SIGKILL');
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  try {
    await eventually(
      () => ({ exit, ready: output().includes('Gudang is ready') }),
      (seen) => seen.ready || seen.exit !== undefined,
      { until: 'npm start is ready', within: READY_WITHIN_MS },
    );
    if (exit) throw new Error('npm start ended');
    return running;
  } catch (error) {
    await running.clear();
    throw new Error(`${(error as Error).message}:\n${output()}`);
  }
}

/**
 * Links to the Kafka jars that earlier starts have downloaded. Without the link, Maven would
 * download the jars again.
 */
async function shareKafka(folder: string): Promise<void> {
  const kafka = join(repository, '.gudang/kafka');
  const entries = await readdir(kafka).catch(() => []);
  await mkdir(join(folder, 'kafka'), { recursive: true });
  const present = await readdir(join(folder, 'kafka'));
  for (const name of entries.filter((entry) => /^lib-[\d.]+$/.test(entry))) {
    if (!present.includes(name)) await symlink(join(kafka, name), join(folder, 'kafka', name));
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Finds processes by GUDANG_DIR in their environment, which every descendant inherits. */
async function processesOf(folder: string): Promise<number[]> {
  if (!existsSync('/proc/self/environ'))
    throw new Error('Finding processes needs /proc: run this on Linux');
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const environment = await readFile(`/proc/${name}/environ`, 'utf8').catch(() => '');
    if (environment.split('\0').includes(`GUDANG_DIR=${folder}`)) found.push(Number(name));
  }
  return found;
}
