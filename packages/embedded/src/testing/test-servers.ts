import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DatabaseName, migrate } from '@gudang/prisma';
import pg from 'pg';
import type {} from 'vitest';
import { gudangDirectory } from '../gudang-directory.ts';
import { findJava } from '../kafka/java.ts';
import { startKafka } from '../kafka/kafka.ts';
import { fetchKafkaLibraries } from '../kafka/kafka-libraries.ts';
import { startPostgres } from '../postgres/postgres.ts';
import { startWatchdog } from '../processes/watchdog.ts';

export { fetchKafkaLibraries } from '../kafka/kafka-libraries.ts';
export { startWatchdog, type Watchdog } from '../processes/watchdog.ts';

declare module 'vitest' {
  interface ProvidedContext {
    postgresUrl: string;
    kafkaBrokers: string;
    kafkaData: string;
  }
}

/** Test data need not survive a crash. */
const NO_DURABILITY = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };
const DATABASES: DatabaseName[] = ['order', 'stock'];
/** SQLSTATE of the error if a template is copied while autovacuum is connected to it. */
const OBJECT_IN_USE = '55006';

export interface TestServers {
  /** The URL of the database `postgres`, for createTestDatabase(). */
  postgresUrl: string;
  kafkaBrokers: string;
  /** The folder of Kafka's records, with one folder per partition. */
  kafkaData: string;
  /** Process ids, for measurements. */
  pids: { readonly postgres: number; readonly kafka: number };
  stop(): Promise<void>;
}

export interface TestServersOptions {
  /** Overrides settings of PostgreSQL, such as `{ max_connections: '500' }`. */
  settings?: Record<string, string>;
  /**
   * The folder of another PostgreSQL's programs. Default: the folder of the npm package's programs.
   */
  postgresPrograms?: string;
}

/**
 * Starts PostgreSQL and Kafka for a test run, on free ports, in a temporary folder. Creates a migrated
 * template of each database.
 */
export async function startTestServers(options: TestServersOptions = {}): Promise<TestServers> {
  const directory = await mkdtemp(join(tmpdir(), 'gudang-test-'));
  const watchdog = startWatchdog(directory);
  const settings = { ...NO_DURABILITY, ...options.settings };
  const programs = options.postgresPrograms;
  const starting = [
    startPostgres({
      directory: join(directory, 'postgres'),
      settings,
      ...(programs && { programs }),
    }),
    // The class archive is written at normal priority instead of a lower one, so that it is ready
    // sooner for the many later starts that use it.
    startKafka({
      directory: join(directory, 'kafka'),
      archivePriority: constants.priority.PRIORITY_NORMAL,
    }),
  ] as const;
  const stop = async () => {
    const started = await Promise.allSettled(starting);
    const running = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    await Promise.all(running.map((server) => server.stop()));
    await watchdog.stop();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const [postgres, kafka] = await Promise.all([
      starting[0].then(async (running) => {
        await Promise.all(DATABASES.map((database) => createTemplate(running.url, database)));
        return running;
      }),
      starting[1],
    ]);
    const pids = { postgres: postgres.pid, kafka: kafka.pid };
    const kafkaData = join(directory, 'kafka', 'data');
    return {
      postgresUrl: postgres.url('postgres'),
      kafkaBrokers: kafka.brokers,
      kafkaData,
      pids,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function createTemplate(
  url: (name: string) => string,
  database: DatabaseName,
): Promise<void> {
  const name = templateOf(database);
  await migrate({ database, url: url(name) });
  await query(url('postgres'), `ALTER DATABASE ${name} ALLOW_CONNECTIONS false IS_TEMPLATE true`);
}

export interface TestDatabase {
  url: string;
  /** Drops the database and its connections. */
  drop(): Promise<void>;
}

/** Creates a migrated database for one test file, as a copy of the template. */
export async function createTestDatabase(
  postgresUrl: string,
  database: DatabaseName,
): Promise<TestDatabase> {
  const name = `${database}_${randomBytes(6).toString('hex')}`;
  const sql = `CREATE DATABASE ${name} TEMPLATE ${templateOf(database)}`;
  for (let left = 20; ; left -= 1) {
    try {
      await query(postgresUrl, sql);
      break;
    } catch (error) {
      if ((error as { code?: string }).code !== OBJECT_IN_USE || left === 0) throw error;
      await sleep(100);
    }
  }
  const url = new URL(postgresUrl);
  url.pathname = `/${name}`;
  const drop = () => query(postgresUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  return { url: url.href, drop };
}

/**
 * Starts a single-file Java program with Kafka's classes. Its standard streams are pipes.
 * @param program path of the program's source
 */
export async function startWithKafkaClasses(
  program: string,
  programArguments: readonly string[],
): Promise<ChildProcessWithoutNullStreams> {
  const libraries = await fetchKafkaLibraries({ directory: join(gudangDirectory(), 'kafka') });
  const { command } = await findJava();
  return spawn(command, [
    ...['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-cp', join(libraries, '*')],
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
    program,
    ...programArguments,
  ]);
}

/** Returns a random prefix for topic names (`t3f9a1c.`), so that test files can share one Kafka. */
export function testTopicPrefix(): string {
  return `t${randomBytes(3).toString('hex')}.`;
}

function templateOf(database: DatabaseName): string {
  return `${database}_template`;
}

async function query(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query(sql);
  } finally {
    await client.end().catch(() => {});
  }
}
