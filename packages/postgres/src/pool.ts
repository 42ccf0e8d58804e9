import { setFlagsFromString } from 'node:v8';
import type { Metrics, Service, Stoppable } from '@gudang/runtime';
import { pinSession, schemaOf } from '@gudang/session';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { startDatabaseWatch, type WatchedDatabase } from './database-watch.ts';
import { parseTimestamp } from './parse-timestamp.ts';
import type { SqlClient } from './statements.ts';
import { type Statements, type ToSql, withStatements } from './statements.ts';

/** Time-out of a request that waits for a connection, in milliseconds. */
const CONNECT_TIMEOUT_MS = 5_000;
/**
 * Prisma's transaction options, in milliseconds. The time-out for a connection is the same as for other
 * statements; with Prisma's default of 2,000, some requests fail on a busy machine. The duration of a
 * transaction is limited to 5,000, so that the wait and the duration together do not exceed the gateway's
 * SUBGRAPH_TIMEOUT_MS of 10,000.
 */
const TRANSACTION_OPTIONS = { maxWait: CONNECT_TIMEOUT_MS, timeout: 5_000 };
/**
 * Time-out of an idle connection, in milliseconds. It is longer than the interval of the database watch,
 * so that an idle service keeps one connection open for the watch.
 */
const IDLE_TIMEOUT_MS = 60_000;
/**
 * Time-out of an idle transaction, in milliseconds. After this time, the server rolls back the
 * transaction. Without this limit, a process that is frozen during a transaction would keep its row locks
 * and block the replicas that take over its work.
 */
const IDLE_TRANSACTION_LIMIT_MS = 5_000;
/** Maximum duration of a statement in the server, including waits for locks, in milliseconds. */
const STATEMENT_LIMIT_MS = 15_000;
/**
 * Time-out of a statement in the client, in milliseconds. The server's limit is shorter, so normally the
 * server ends the statement. This time-out is for a server that is frozen or unreachable: without it, the
 * operating system would close the connection only after minutes.
 */
const RESPONSE_LIMIT_MS = STATEMENT_LIMIT_MS + 2_000;

/**
 * Upper bound of the duration of a transaction, in milliseconds: a transaction of several statements, whose
 * last statement begins at its time-out.
 */
export const LONGEST_TRANSACTION_MS = TRANSACTION_OPTIONS.timeout + STATEMENT_LIMIT_MS;

/** Limits of each session. The server closes no idle session, because the pool closes it. */
const SESSION_LIMITS = {
  statement: STATEMENT_LIMIT_MS,
  idleInTransaction: IDLE_TRANSACTION_LIMIT_MS,
};

/**
 * Creates a connection pool. Its statements fail after a time limit instead of hanging. Each new
 * connection pins its session's settings.
 */
export function postgresPool({
  url,
  pool: max,
  name,
  metrics,
}: DatabaseOptions & {
  /** The name of the application in `pg_stat_activity`. */
  readonly name: string;
}): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    query_timeout: RESPONSE_LIMIT_MS,
    application_name: name,
    keepAlive: true,
    types: { getTypeParser },
    onConnect: async (connection) => {
      await pinSession(connection, url, SESSION_LIMITS);
    },
  });
  // After a connection is taken from the pool, it has no error listener until Prisma adds one. If the
  // server closed the connection in between, the error would end the process. This listener ignores the
  // error, because the next statement reports the lost connection.
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

const getTypeParser: typeof pg.types.getTypeParser = (type, format) =>
  type === pg.types.builtins.TIMESTAMPTZ && format !== 'binary'
    ? parseTimestamp
    : pg.types.getTypeParser(type, format);

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
 * Creates a connection pool, a Prisma client that uses this pool, and prepared statements on the same
 * connections.
 * @param create creates the generated Prisma client; disconnecting it closes the pool
 * @param toSql the client's `Prisma.sql`
 */
export function createDatabase<C extends object>(
  options: DatabaseOptions & { readonly name: string },
  create: (options: PrismaOptions) => C,
  toSql: ToSql,
): C & Statements {
  // Prisma compiles the plan of a query in WebAssembly once, and keeps the plan. Optimizing that WebAssembly
  // would leave 12 MiB of free memory in the process.
  setFlagsFromString('--no-wasm-tier-up');
  setFlagsFromString('--no-wasm-dynamic-tiering');
  const pool = postgresPool(options);
  const adapter = new PrismaPg(pool, { schema: schemaOf(options.url), disposeExternalPool: true });
  const client = create({ adapter, transactionOptions: TRANSACTION_OPTIONS });
  return withStatements(client, pool, toSql);
}

/** Starts to watch a database for `/readyz` and the log. `stop` also disconnects the client. */
export function startDatabase<C extends SqlClient & { $disconnect(): Promise<void> }>(
  service: Pick<Service, 'health' | 'log'>,
  { client, ...watched }: WatchedDatabase & { client: C },
): Stoppable & { readonly client: C } {
  const watch = startDatabaseWatch(service, { client, ...watched });
  return {
    client,
    stop: async () => {
      await watch.stop();
      await client.$disconnect();
    },
  };
}
