import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startKafka, startPostgres } from '@gudang/embedded';
import { type Databases, openDatabases } from '@gudang/testing/system/databases';
import {
  type RestartableServer,
  startRestartableServer,
} from '@gudang/testing/system/restartable-server';
import { type ServiceProcess, startServiceProcess } from '@gudang/testing/system/service-process';
import { type Build, thisBuild } from '../suite/build.ts';

type Side = 'order' | 'stock';

/**
 * Both subgraphs with one PostgreSQL that writes to disk, and a Kafka server that can be stopped.
 */
export interface BacklogSystem {
  readonly kafka: RestartableServer;
  /** `host:port` of the broker. */
  readonly kafkaBroker: string;
  readonly postgresPid: number;
  /** Starts one more process; resolves once it listens, ready or not. */
  readonly add: (
    side: Side,
    environment?: Readonly<Record<string, string>>,
  ) => Promise<ServiceProcess>;
  readonly databases: Databases;
  readonly urls: Readonly<Record<Side, string>>;
  readonly stop: () => Promise<void>;
}

/** @param build the build of the services and of the migrations */
export async function startBacklogSystem(build: Build = thisBuild): Promise<BacklogSystem> {
  const directory = await mkdtemp(join(tmpdir(), 'gudang-backlog-'));
  const stops: (() => Promise<unknown>)[] = [() => rm(directory, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    for (const one of stops.reverse()) await one().catch(() => {});
  };
  try {
    const postgres = await startPostgres({ directory: join(directory, 'postgres') });
    stops.push(() => postgres.stop());
    const urls = { order: postgres.url('order_db'), stock: postgres.url('stock_db') };
    await build.migrate(urls);
    const databases = openDatabases(urls);
    stops.push(databases.close);
    const port = await freePort();
    const kafkaBroker = `127.0.0.1:${port}`;
    const kafka = await startRestartableServer(() =>
      startKafka({ directory: join(directory, 'kafka'), port }),
    );
    stops.push(kafka.stop);

    let count = 0;
    const add: BacklogSystem['add'] = async (side, environment = {}) => {
      count += 1;
      const part = await startServiceProcess({
        name: `${side}-${count}`,
        script: build.scriptOf(side),
        environment: {
          PORT: '0',
          NODE_ENV: 'production',
          [`${side.toUpperCase()}_DATABASE_URL`]: urls[side],
          KAFKA_BROKERS: kafkaBroker,
          ...environment,
        },
      });
      stops.push(() => part.stop());
      return part;
    };
    return { kafka, kafkaBroker, postgresPid: postgres.pid, add, databases, urls, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
