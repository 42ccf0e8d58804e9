import { execFile } from 'node:child_process';
import { existsSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { StartError } from '@gudang/runtime/errors';
import pg from 'pg';
import {
  type Child,
  describeExit,
  type Exit,
  readLogTail,
  startChild,
} from '../processes/child.ts';
import { freePort, isFree } from '../processes/free-port.ts';
import { isOurs, readPid, stopLeftover } from '../processes/leftover.ts';
import { findPostgres } from './postgres-binaries.ts';
import { findUnprivilegedUser, type UnprivilegedUser } from './unprivileged-user.ts';

const run = promisify(execFile);
const POLL_MS = 25;
/**
 * Maximum time until PostgreSQL serves queries, in milliseconds. After a crash, recovery from the
 * write-ahead log can take long.
 */
const READY_DEADLINE_MS = 60_000;
const STOP_WHILE_STARTING_MS = 1500;
const SETTINGS = {
  max_connections: '200',
  shared_buffers: '64MB',
  unix_socket_directories: '',
  // initdb would take the machine's time zone, in which the log and psql would then show times.
  timezone: 'UTC',
  log_timezone: 'UTC',
};

export interface PostgresOptions {
  /** The folder for PostgreSQL's data, log and pid file. It is created if it is missing. */
  directory: string;
  /** The server's port. Default: a free port. */
  port?: number;
  /**
   * The folder of another PostgreSQL's programs, such as `/usr/lib/postgresql/15/bin`. Default: the
   * folder of the npm package's programs.
   */
  programs?: string;
  /** Overrides settings, such as `{ fsync: 'off' }` for temporary data. */
  settings?: Record<string, string>;
  /** The log file. Default: `postgres.log` in the directory. */
  logFile?: string;
  log?: (line: string) => void;
  /** Receives the name of the current slow step. */
  progress?: (text: string) => void;
  /** Aborts the start. */
  signal?: AbortSignal;
}

export interface RunningPostgres {
  port: number;
  pid: number;
  exited: Promise<Exit>;
  /**
   * The URL of a database for the superuser `postgres`. The server needs no password and listens on
   * 127.0.0.1 only.
   */
  url(database: string): string;
  /** Returns false if the database exists already. */
  createDatabase(name: string): Promise<boolean>;
  /** Stops PostgreSQL; kills it after `deadlineMs` (default: 4,000). */
  stop(deadlineMs?: number): Promise<void>;
}

/**
 * Starts PostgreSQL as a child process. Resolves when PostgreSQL serves queries.
 * @throws {StartError} if PostgreSQL cannot start; the message says what to do
 */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const { directory, log = () => {}, signal } = options;
  signal?.throwIfAborted();
  const data = join(directory, 'data');
  const pidFile = join(directory, 'postgres.pid');
  const logFile = options.logFile ?? join(directory, 'postgres.log');
  const [binaries, user] = await Promise.all([
    findPostgres(options.programs),
    findUnprivilegedUser(),
  ]);
  await mkdir(directory, { recursive: true });
  const leftover = await stopLeftover(pidFile, data, 'SIGINT');
  if (leftover) log(`Stopped PostgreSQL of an earlier start (process ${leftover})`);
  await removeStaleLock(data);
  const port = options.port || (await freePort());
  if (!(await isFree(port))) throw new StartError(portInUse(port));
  if (!existsSync(data)) await initialise(binaries.initdb, user, options);
  const settings = { ...SETTINGS, ...options.settings, listen_addresses: '127.0.0.1', port };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const output = openSync(logFile, 'a');
  const child = await startChild({
    ...user.wrap(binaries.postgres, ['-D', data, ...flags]),
    // Without a valid locale, PostgreSQL on macOS becomes multithreaded and then refuses to start.
    env: { ...process.env, LC_ALL: 'C' },
    stdio: ['ignore', output, output],
    // SIGINT disconnects the clients. After SIGTERM, PostgreSQL would instead wait until every
    // client has disconnected.
    stopSignal: 'SIGINT',
    pidFile,
  });
  const url = (database: string) => `postgresql://postgres@127.0.0.1:${port}/${database}`;
  await waitUntilReady(child, url('postgres'), logFile, signal);
  const { pid, exited, stop } = child;
  return { port, pid, exited, url, createDatabase: (name) => createDatabase(url, name), stop };
}

/**
 * Creates the data directory. The directory is renamed when it is complete, so that an interrupted
 * run leaves no incomplete data.
 */
async function initialise(
  initdb: string,
  user: UnprivilegedUser,
  { directory, settings, log = () => {}, progress = () => {}, signal }: PostgresOptions,
): Promise<void> {
  log('Setting up PostgreSQL for the first time');
  progress('Setting up PostgreSQL');
  const draft = await mkdtemp(join(directory, 'data.tmp-'));
  await user.own(draft);
  const { command, args } = user.wrap(initdb, [
    ...['-D', draft, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8'],
    // With this locale, strings have the same sort order on every machine.
    ...((await hasBuiltinLocales(initdb))
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

/**
 * Whether this PostgreSQL has built-in locales, which version 17 introduced. Earlier versions use
 * the operating system's locales.
 */
async function hasBuiltinLocales(initdb: string): Promise<boolean> {
  const { stdout } = await run(initdb, ['--version']);
  return Number(/ (\d+)/.exec(stdout)?.[1]) >= 17;
}

/**
 * Removes the lock file of a crashed PostgreSQL. Otherwise PostgreSQL would refuse to start if the
 * process id in the file now belongs to another program.
 */
async function removeStaleLock(data: string): Promise<void> {
  const lock = join(data, 'postmaster.pid');
  const pid = await readPid(lock);
  if (pid !== undefined && !(await isOurs(pid, data))) await rm(lock, { force: true });
}

async function waitUntilReady(
  child: Child,
  url: string,
  logFile: string,
  signal?: AbortSignal,
): Promise<void> {
  const giveUpAt = Date.now() + READY_DEADLINE_MS;
  while (!(await answers(url))) {
    const exit = child.exit();
    if (exit?.signal) throw new Error(`exited during its start: ${exit.signal}`);
    if (exit) {
      const why = await readLogTail(logFile);
      throw new StartError(`PostgreSQL exited during its start (${describeExit(exit)}):\n${why}`);
    }
    if (signal?.aborted || Date.now() > giveUpAt) {
      await child.stop(STOP_WHILE_STARTING_MS);
      signal?.throwIfAborted();
      throw new StartError(
        `PostgreSQL was not ready after ${READY_DEADLINE_MS / 1000} s; see ${logFile}`,
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

function portInUse(port: number): string {
  return (
    `Port ${port} is in use, so PostgreSQL cannot listen there. Stop the other program, set POSTGRES_PORT to another port, ` +
    'or set ORDER_DATABASE_URL and STOCK_DATABASE_URL to a running PostgreSQL'
  );
}
