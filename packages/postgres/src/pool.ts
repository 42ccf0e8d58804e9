import type { Metrics, Service, Stoppable } from '@gudang/runtime';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { startDatabaseWatch } from './database-watch.ts';
import type { SqlClient } from './sql-client.ts';

/** How long to wait for a connection, in milliseconds, before the request fails. */
const CONNECT_TIMEOUT_MS = 5_000;
/**
 * Prisma's options of transactions: each waits for its connection as long as any other statement, in milliseconds, where
 * Prisma's own 2,000 refuse part of a crowd on a busy machine. With the 5,000 that one may last, its caller is answered
 * before a gateway's SUBGRAPH_TIMEOUT_MS of 10,000.
 */
export const TRANSACTION_OPTIONS = { maxWait: CONNECT_TIMEOUT_MS, timeout: 5_000 };
/** Longer than the watch's pause, so that an idle service does not connect anew for each look. */
const IDLE_TIMEOUT_MS = 60_000;
/**
 * How long a transaction may stand still, in milliseconds. A process that is frozen in the middle
 * of one would keep its row locks, and with them every replica that takes over its work: the
 * server ends it, and all that it did.
 */
const STANDSTILL_LIMIT_MS = 5_000;
/** The longest that one statement may take, waiting for locks included, in milliseconds. */
const STATEMENT_LIMIT_MS = 15_000;
/**
 * How long its answer is waited for, in milliseconds: longer than the server lets it run, which ends it in order. A
 * server that is cut off or frozen says nothing, and the system gives up a connection only after minutes.
 */
const ANSWER_LIMIT_MS = STATEMENT_LIMIT_MS + 2_000;

/** What a Prisma client of a service connects with: a pool that gives up rather than hang. */
export function postgresPool({
  url,
  pool: max,
  name,
  metrics,
}: {
  url: string;
  /** The most connections. */
  pool: number;
  /** What `pg_stat_activity` shows. */
  name: string;
  metrics?: Metrics | undefined;
}): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    idle_in_transaction_session_timeout: STANDSTILL_LIMIT_MS,
    statement_timeout: STATEMENT_LIMIT_MS,
    query_timeout: ANSWER_LIMIT_MS,
    application_name: name,
    keepAlive: true,
  });
  // The pool leaves a connection without a listener from when it hands it over until Prisma listens. A server that stops
  // ends it just then, and the error would end the process; whoever has it is told by its next statement.
  pool.on('connect', (connection) => connection.on('error', () => {}));
  metrics?.gauge(
    'gudang_database_connections',
    'Connections of the pool: in use, idle, and requests that wait for one',
    ['state'],
    (gauge) => {
      gauge.set({ state: 'used' }, pool.totalCount - pool.idleCount);
      gauge.set({ state: 'idle' }, pool.idleCount);
      gauge.set({ state: 'wanted' }, pool.waitingCount);
    },
  );
  metrics?.gauge('gudang_database_connections_limit', 'DATABASE_POOL', [], (gauge) =>
    gauge.set(max),
  );
  return pool;
}

/** @param pool ends with the client */
export function postgresAdapter(pool: pg.Pool): PrismaPg {
  return new PrismaPg(pool, { disposeExternalPool: true });
}

/** A client, watched: `/readyz` and the log tell when its database does not answer. */
export function startClient<C extends SqlClient & { $disconnect(): Promise<void> }>(
  service: Pick<Service, 'health' | 'log'>,
  {
    client,
    url,
    setting,
  }: {
    client: C;
    url: string;
    /** The setting to name, such as ORDER_DATABASE_URL. */
    setting: string;
  },
): Stoppable & { readonly client: C } {
  const watch = startDatabaseWatch(service, { client, url, setting });
  return {
    client,
    stop: async () => {
      await watch.stop();
      await client.$disconnect();
    },
  };
}
