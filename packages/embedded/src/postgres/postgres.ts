import { execFile } from 'node:child_process';
import { existsSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { type Child, describeExit, type Exit, startChild } from '../processes/child.ts';
import { freePort, isFree } from '../processes/free-port.ts';
import { lastLines } from '../processes/last-lines.ts';
import { isOurs, readPid, stopLeftover } from '../processes/leftover.ts';
import { StartError } from '../start-error.ts';
import { findPostgres } from './postgres-binaries.ts';
import { type Unprivileged, unprivileged } from './unprivileged-user.ts';

const run = promisify(execFile);
const POLL_MS = 25;
/** Going through the log after a crash may take its time. */
const READY_DEADLINE_MS = 60_000;
const STOP_WHILE_STARTING_MS = 1500;
const SETTINGS = { max_connections: '200', shared_buffers: '64MB', unix_socket_directories: '' };

export interface PostgresOptions {
  /** Where its data, log and pid file are kept; made when missing. */
  directory: string;
  /** A free one when left out. */
  port?: number;
  /** The folder of another PostgreSQL's programs than npm's, such as `/usr/lib/postgresql/15/bin`. */
  programs?: string;
  /** Settings over the usual ones, such as `{ fsync: 'off' }` for data that nobody needs tomorrow. */
  settings?: Record<string, string>;
  /** `postgres.log` in the directory unless told otherwise. */
  logFile?: string;
  log?: (line: string) => void;
  /** Gets which slow step is under way. */
  progress?: (text: string) => void;
  /** Ends a start that is under way. */
  signal?: AbortSignal;
}

export interface RunningPostgres {
  port: number;
  pid: number;
  exited: Promise<Exit>;
  /** The address of a database, for its superuser `postgres`; it takes no password and listens on 127.0.0.1 only. */
  url(database: string): string;
  /** False when it was there already. */
  createDatabase(name: string): Promise<boolean>;
  /** Ends it in order; kills it after the deadline (4,000 ms unless told otherwise). */
  stop(deadlineMs?: number): Promise<void>;
}

/**
 * A real PostgreSQL as a child process, ready for queries; its data is kept in the directory.
 * @throws {StartError} in words for people
 */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const { directory, log = () => {}, signal } = options;
  signal?.throwIfAborted();
  const data = join(directory, 'data');
  const pidFile = join(directory, 'postgres.pid');
  const logFile = options.logFile ?? join(directory, 'postgres.log');
  const [binaries, user] = await Promise.all([findPostgres(options.programs), unprivileged()]);
  await mkdir(directory, { recursive: true });
  const leftover = await stopLeftover(pidFile, data, 'SIGINT');
  if (leftover)
    log(`PostgreSQL of an earlier start was still running (process ${leftover}); stopped it`);
  await removeStaleLock(data);
  const port = options.port || (await freePort());
  if (!(await isFree(port))) throw new StartError(portTaken(port));
  if (!existsSync(data)) await initialise(binaries.initdb, user, options);
  const settings = { ...SETTINGS, ...options.settings, listen_addresses: '127.0.0.1', port };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const output = openSync(logFile, 'a');
  const child = await startChild({
    ...user.wrap(binaries.postgres, ['-D', data, ...flags]),
    // macOS: with no valid locale PostgreSQL becomes multithreaded while starting, and refuses.
    env: { ...process.env, LC_ALL: 'C' },
    stdio: ['ignore', output, output],
    // SIGTERM would wait for every client to leave.
    stopSignal: 'SIGINT',
    pidFile,
  });
  const url = (database: string) => `postgresql://postgres@127.0.0.1:${port}/${database}`;
  await ready(child, url('postgres'), logFile, signal);
  const { pid, exited, stop } = child;
  return { port, pid, exited, url, createDatabase: (name) => createDatabase(url, name), stop };
}

/** Made beside its place and moved there when done, so that a cut-off one is not taken for complete. */
async function initialise(
  initdb: string,
  user: Unprivileged,
  { directory, settings, log = () => {}, progress = () => {}, signal }: PostgresOptions,
): Promise<void> {
  log('Setting up PostgreSQL for the first time');
  progress('Setting up PostgreSQL');
  const draft = await mkdtemp(join(directory, 'data.tmp-'));
  await user.own(draft);
  const { command, args } = user.wrap(initdb, [
    ...['-D', draft, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8'],
    // The same order of strings on every machine, whatever its own locales are.
    ...((await hasOwnLocales(initdb))
      ? ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
      : ['--locale=C.UTF-8']),
    ...(settings?.fsync === 'off' ? ['--no-sync'] : []),
  ]);
  try {
    await run(command, args, { ...(signal && { signal }), env: { ...process.env, LC_ALL: 'C' } });
    await rename(draft, join(directory, 'data'));
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    signal?.throwIfAborted();
    const { stderr, message } = error as { stderr?: string; message: string };
    throw new StartError(
      `PostgreSQL could not be set up in ${directory}: ${stderr?.trim() || message}`,
    );
  }
}

/** From 17 on; those before have the machine's alone. */
async function hasOwnLocales(initdb: string): Promise<boolean> {
  const { stdout } = await run(initdb, ['--version']);
  return Number(/ (\d+)/.exec(stdout)?.[1]) >= 17;
}

/** After a crash the lock may name a process id that is somebody else's by now, and PostgreSQL would refuse. */
async function removeStaleLock(data: string): Promise<void> {
  const lock = join(data, 'postmaster.pid');
  const pid = await readPid(lock);
  if (pid !== undefined && !(await isOurs(pid, data))) await rm(lock, { force: true });
}

async function ready(
  child: Child,
  url: string,
  logFile: string,
  signal?: AbortSignal,
): Promise<void> {
  const giveUpAt = Date.now() + READY_DEADLINE_MS;
  while (!(await answers(url))) {
    const exit = child.exit();
    if (exit?.signal) throw new Error(`ended while starting: ${exit.signal}`);
    if (exit) {
      const why = await lastLines(logFile);
      throw new StartError(`PostgreSQL ended while starting (${describeExit(exit)}):\n${why}`);
    }
    if (signal?.aborted || Date.now() > giveUpAt) {
      await child.stop(STOP_WHILE_STARTING_MS);
      signal?.throwIfAborted();
      throw new StartError(
        `PostgreSQL is not ready after ${READY_DEADLINE_MS / 1000} s; see ${logFile}`,
      );
    }
    await sleep(POLL_MS);
  }
}

async function answers(url: string): Promise<boolean> {
  return withClient(url, async () => true).catch(() => false);
}

async function createDatabase(url: (database: string) => string, name: string): Promise<boolean> {
  return withClient(url('postgres'), async (client) => {
    const found = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
    if (found.rowCount) return false;
    await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
    return true;
  });
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}

function portTaken(port: number): string {
  return (
    `Port ${port} is taken, so PostgreSQL cannot listen there. Stop what uses it, set POSTGRES_PORT to another port, ` +
    'or set ORDER_DATABASE_URL and STOCK_DATABASE_URL to a running PostgreSQL'
  );
}
