import type { Metrics, Service, Stoppable } from '@gudang/runtime';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { startDatabaseWatch } from './database-watch.ts';
import type { SqlClient } from './statements.ts';
import { type Statements, type ToSql, withStatements } from './statements.ts';

/** How long a request waits for a connection, in milliseconds, before it fails. */
const CONNECT_TIMEOUT_MS = 5_000;
/**
 * Prisma's transaction options, in milliseconds. A transaction waits for its connection as long as any
 * other statement; with Prisma's default of 2,000, some requests fail on a busy machine. Together with
 * the limit of 5,000 for its duration, the caller receives a response before the gateway's
 * SUBGRAPH_TIMEOUT_MS of 10,000.
 */
const TRANSACTION_OPTIONS = { maxWait: CONNECT_TIMEOUT_MS, timeout: 5_000 };
/** Longer than the interval of the database watch, so that an idle service keeps a connection for it. */
const IDLE_TIMEOUT_MS = 60_000;
/**
 * How long a transaction may be idle, in milliseconds. A process that is frozen during a transaction
 * would keep its row locks and block the replicas that take over its work. The server rolls back the
 * transaction after this time.
 */
const IDLE_TRANSACTION_LIMIT_MS = 5_000;
/** Maximum duration of a statement, including waits for locks, in milliseconds. */
const STATEMENT_LIMIT_MS = 15_000;
/**
 * How long the client waits for a statement's result, in milliseconds. Longer than the server's limit,
 * so that normally the server ends the statement. If the server is frozen or unreachable, the operating
 * system would close the connection only after minutes.
 */
const RESPONSE_LIMIT_MS = STATEMENT_LIMIT_MS + 2_000;

/** Creates a pool whose statements fail after a time limit instead of hanging. */
export function postgresPool({
  url,
  pool: max,
  name,
  metrics,
}: DatabaseOptions & {
  /** The application name in `pg_stat_activity`. */
  readonly name: string;
}): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_TRANSACTION_LIMIT_MS,
    statement_timeout: STATEMENT_LIMIT_MS,
    query_timeout: RESPONSE_LIMIT_MS,
    application_name: name,
    keepAlive: true,
  });
  // A connection has no error listener between its checkout and the moment when Prisma adds one. If the
  // server closes it then, the error would end the process. The next statement reports the lost connection.
  pool.on('connect', (connection) => connection.on('error', () => {}));
  metrics?.gauge(
    'gudang_database_connections',
    'Connections of the pool by state: used, idle, wanted (requests that wait for one)',
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

export interface DatabaseOptions {
  readonly url: string;
  /** Maximum number of connections. */
  readonly pool: number;
  readonly metrics?: Metrics | undefined;
}

/** The options of a generated Prisma client. */
export interface PrismaOptions {
  readonly adapter: PrismaPg;
  readonly transactionOptions: typeof TRANSACTION_OPTIONS;
}

/**
 * Creates a pool, a Prisma client on it, and prepared statements on the same connections.
 * @param create creates the generated Prisma client; disconnecting it closes the pool
 * @param toSql the client's `Prisma.sql`
 */
export function createDatabase<C extends object>(
  options: DatabaseOptions & { readonly name: string },
  create: (options: PrismaOptions) => C,
  toSql: ToSql,
): C & Statements {
  const pool = postgresPool(options);
  const adapter = new PrismaPg(pool, { disposeExternalPool: true });
  const client = create({ adapter, transactionOptions: TRANSACTION_OPTIONS });
  return withStatements(client, pool, toSql);
}

/** Starts to watch a database for `/readyz` and the log. Stopping disconnects the client. */
export function startDatabase<C extends SqlClient & { $disconnect(): Promise<void> }>(
  service: Pick<Service, 'health' | 'log'>,
  {
    client,
    url,
    setting,
  }: {
    client: C;
    url: string;
    /** The setting with the URL, named in messages: ORDER_DATABASE_URL. */
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
