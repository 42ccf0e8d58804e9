import { pinSession } from '@gudang/session';
import pg from 'pg';

/** Time-out of a connection and of each statement, in milliseconds. */
const ANSWER_LIMIT_MS = 2_000;
/**
 * Number of comparisons of two connections. In transaction mode, queries of other clients may hide the
 * difference in some of them.
 */
const COMPARISONS = 10;

/** SQLSTATE with which PgBouncer refuses a transaction block if it pools by statement. */
const PROTOCOL_VIOLATION = '08P01';

/**
 * Returns whether a pooler between this process and PostgreSQL assigns server connections by transaction
 * or by statement. Session settings, prepared statements and advisory locks then belong to a server
 * connection that other clients also use. A direct connection costs one connection and one statement.
 *
 * Poolers report another process id at the start of a connection than the server process has. If these
 * ids differ, two connections are compared repeatedly: in session mode, each keeps a server process of
 * its own.
 * @throws the driver's error if the database does not answer
 */
export async function isPooledByTransaction(url: string): Promise<boolean> {
  const first = clientOf(url);
  const second = clientOf(url);
  try {
    await first.connect();
    const { backend } = await pinSession(first, url);
    if (backend === reportedPid(first)) return false;
    await second.connect();
    for (let left = COMPARISONS; left > 0; left -= 1) {
      const other = await backendInTransaction(second);
      if (other === undefined) return false;
      if (other === backend || (await backendOf(first)) !== backend) return true;
      await second.query('COMMIT');
    }
    return false;
  } catch (error) {
    if ((error as { code?: unknown }).code === PROTOCOL_VIOLATION) return true;
    throw error;
  } finally {
    await Promise.all([first, second].map((client) => client.end().catch(() => {})));
  }
}

/**
 * Checks that no pooler shares a connection with other clients, before the connection takes an advisory
 * lock: the lock would remain on the pooler's connection when its owner has left. A direct connection costs
 * nothing.
 * @param backend server process of the client's connection
 * @throws if a pooler assigns connections by transaction or by statement
 */
export async function assertOwnSession(
  client: pg.Client,
  backend: number,
  url: string,
): Promise<void> {
  if (backend === reportedPid(client) || !(await isPooledByTransaction(url))) return;
  throw new Error('A pooler assigns connections by transaction, so this session can hold no lock');
}

function clientOf(url: string): pg.Client {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'gudang-check',
    connectionTimeoutMillis: ANSWER_LIMIT_MS,
    query_timeout: ANSWER_LIMIT_MS,
  });
  // Without a listener, the error of a lost connection would end the process.
  client.on('error', () => {});
  return client;
}

/**
 * Begins a transaction and returns its server process; undefined if there is none in time. A pooler in
 * session mode whose pool is exhausted makes the connection wait.
 */
async function backendInTransaction(client: pg.Client): Promise<number | undefined> {
  try {
    await client.query('BEGIN');
    return await backendOf(client);
  } catch (error) {
    if (error instanceof pg.DatabaseError) throw error;
    return undefined;
  }
}

async function backendOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query('SELECT pg_backend_pid() AS backend');
  return rows[0].backend;
}

/** Returns the process id that the server reported at the start, which the types of pg omit. */
function reportedPid(client: pg.Client): number | null {
  return (client as unknown as { processID: number | null }).processID;
}
