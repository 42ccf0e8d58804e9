import type { Metrics, Service, Stoppable } from '@gudang/service';
import { postgresAdapter, startClient, TRANSACTION_OPTIONS } from '@gudang/service/database';
import { PrismaClient } from './generated/prisma/client.ts';
import type { settingsTable } from './settings.ts';

export type Database = PrismaClient;
/** A client, or the transaction that one is in. */
export type Transaction = Parameters<Parameters<PrismaClient['$transaction']>[0]>[0];

/** A pool of connections to stock_db; the first is opened when it is needed. */
export function openDatabase({
  url,
  pool,
  metrics,
}: {
  url: string;
  pool: number;
  metrics?: Metrics;
}): Database {
  const name = 'stock-subgraph';
  return new PrismaClient({
    adapter: postgresAdapter({ url, pool, name, metrics }),
    transactionOptions: TRANSACTION_OPTIONS,
  });
}

export function startDatabase(
  service: Pick<Service<typeof settingsTable>, 'settings' | 'health' | 'log' | 'metrics'>,
): Stoppable & { readonly client: Database } {
  const { STOCK_DATABASE_URL: url, DATABASE_POOL: pool } = service.settings;
  const client = openDatabase({ url, pool, metrics: service.metrics });
  return startClient(service, { client, url, setting: 'STOCK_DATABASE_URL' });
}
