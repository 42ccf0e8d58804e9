import {
  postgresAdapter,
  postgresPool,
  type RawTransaction,
  type Statements,
  startClient,
  TRANSACTION_OPTIONS,
  withStatements,
} from '@gudang/postgres';
import type { Metrics, Service, Stoppable } from '@gudang/runtime';
import { Prisma, PrismaClient } from './generated/prisma/client.ts';
import type { settingsTable } from './settings.ts';

/** Prisma's client, and beside it statements by pg alone over the same connections. */
export type Database = PrismaClient & Statements;
/** The transaction that statements are in: Prisma's, or a set-wise one. */
export type Transaction = RawTransaction;

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
  const connections = postgresPool({ url, pool, name, metrics });
  const client = new PrismaClient({
    adapter: postgresAdapter(connections),
    transactionOptions: TRANSACTION_OPTIONS,
  });
  return withStatements(client, connections, Prisma.sql);
}

export function startDatabase(
  service: Pick<Service<typeof settingsTable>, 'settings' | 'health' | 'log' | 'metrics'>,
): Stoppable & { readonly client: Database } {
  const { STOCK_DATABASE_URL: url, DATABASE_POOL: pool } = service.settings;
  const client = openDatabase({ url, pool, metrics: service.metrics });
  return startClient(service, { client, url, setting: 'STOCK_DATABASE_URL' });
}
