import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startKafka, startPostgres } from '@gudang/embedded';
import { migrate } from '@gudang/prisma';
import { type ServiceProcess, startServiceProcess } from '@gudang/testing/system/service-process';
import { scriptOf } from '@gudang/testing/system/system';
import pg from 'pg';
import type { Explained } from './plans.ts';
import { EXPLAIN_OFF, EXPLAIN_ON, EXPLAIN_SETTINGS, readPlans, slowestOfEach } from './plans.ts';

export type Side = 'order' | 'stock';

/** A service with a database of a known size. */
export interface Grown {
  readonly side: Side;
  /** Name of the database in PostgreSQL and in the CPU probe. */
  readonly databaseName: string;
  readonly databaseUrl: string;
  readonly part: ServiceProcess;
  readonly sql: <T extends pg.QueryResultRow>(text: string, values?: unknown[]) => Promise<T[]>;
}

/** A PostgreSQL server with auto_explain and a Kafka server, for databases of several sizes. */
export interface GrowthServers {
  readonly postgresPid: number;
  /** Creates and fills a migrated database, then starts its service. */
  readonly grow: (
    side: Side,
    name: string,
    fill: (url: string) => Promise<void>,
    environment?: Readonly<Record<string, string>>,
  ) => Promise<Grown>;
  /** Returns the statements that services execute during `work`, each with its slowest plan. */
  readonly explaining: (work: () => Promise<unknown>) => Promise<Explained[]>;
  readonly stop: () => Promise<void>;
}

/**
 * @param kafkaBrokers addresses of a running Kafka; if absent, this function starts a Kafka
 * @param prefix prefix of all topics
 */
export async function startGrowthServers({
  kafkaBrokers,
  prefix = 'growth',
  settings = {},
}: {
  kafkaBrokers?: string;
  prefix?: string;
  settings?: Readonly<Record<string, string>>;
} = {}): Promise<GrowthServers> {
  const directory = await mkdtemp(join(tmpdir(), 'gudang-growth-'));
  const stops: (() => Promise<unknown>)[] = [() => rm(directory, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    for (const one of stops.reverse()) await one().catch(() => {});
  };
  try {
    const postgres = await startPostgres({
      directory: join(directory, 'postgres'),
      // Filling writes gigabytes. A larger `max_wal_size` reduces the number of checkpoints.
      settings: { ...EXPLAIN_SETTINGS, max_wal_size: '8GB', ...settings },
    });
    stops.push(() => postgres.stop());
    let brokers = kafkaBrokers;
    if (brokers === undefined) {
      const kafka = await startKafka({ directory: join(directory, 'kafka') });
      stops.push(() => kafka.stop());
      brokers = kafka.brokers;
    }
    const administrator = new pg.Client({ connectionString: postgres.url('postgres') });
    await administrator.connect();
    stops.push(() => administrator.end());
    const reload = async (setting: string): Promise<void> => {
      await administrator.query(setting);
      await administrator.query('SELECT pg_reload_conf()');
    };
    const readLog = () => readFile(join(directory, 'postgres/postgres.log'), 'utf8');

    return {
      postgresPid: postgres.pid,
      grow: async (side, name, fill, environment = {}) => {
        const databaseUrl = postgres.url(name);
        await migrate({ database: side, url: databaseUrl });
        await fill(databaseUrl);
        const client = new pg.Client({ connectionString: databaseUrl });
        await client.connect();
        stops.push(() => client.end());
        const part = await startServiceProcess({
          name,
          script: scriptOf(side),
          environment: {
            PORT: '0',
            [`${side.toUpperCase()}_DATABASE_URL`]: databaseUrl,
            KAFKA_BROKERS: brokers,
            // The services of order_<size> and stock_<size> form one system. Each such system has
            // its own topics.
            KAFKA_TOPIC_PREFIX: `${prefix}.${name.replace(/^(order|stock)_/, '')}.`,
            ...environment,
          },
        });
        stops.push(() => part.stop());
        await part.ready();
        const sql = async <T extends pg.QueryResultRow>(text: string, values?: unknown[]) =>
          (await client.query<T>(text, values)).rows;
        return { side, databaseName: name, databaseUrl, part, sql };
      },
      explaining: async (work) => {
        const before = (await readLog()).length;
        await reload(EXPLAIN_ON);
        try {
          await work();
        } finally {
          await reload(EXPLAIN_OFF);
        }
        return slowestOfEach(readPlans((await readLog()).slice(before)));
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
