import { type Service, type Stoppable, startDatabaseWatch } from '@gudang/service';
import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from './generated/prisma/client.ts';
import type { settingsTable } from './settings.ts';

export type Database = PrismaClient;
/** A client, or the transaction that one is in. */
export type Transaction = Parameters<Parameters<PrismaClient['$transaction']>[0]>[0];

/** How long to wait for a connection, in milliseconds, before the request fails. */
const CONNECT_TIMEOUT_MS = 5_000;
/** Longer than the watch's pause, so that an idle service does not connect anew for each look. */
const IDLE_TIMEOUT_MS = 60_000;

/** A pool of connections to stock_db; the first is opened when it is needed. */
export function openDatabase({ url, pool }: { url: string; pool: number }): Database {
  return new PrismaClient({
    adapter: new PrismaPg({
      connectionString: url,
      max: pool,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      idleTimeoutMillis: IDLE_TIMEOUT_MS,
      application_name: 'stock-subgraph',
      keepAlive: true,
    }),
  });
}

/** The database, watched: `/readyz` and the log tell when it does not answer. */
export function startDatabase(
  service: Pick<Service<typeof settingsTable>, 'settings' | 'health' | 'log'>,
): Stoppable & { readonly client: Database } {
  const { STOCK_DATABASE_URL: url, DATABASE_POOL: pool } = service.settings;
  const client = openDatabase({ url, pool });
  const watch = startDatabaseWatch(service, { client, url, setting: 'STOCK_DATABASE_URL' });
  return {
    client,
    stop: async () => {
      await watch.stop();
      await client.$disconnect();
    },
  };
}
