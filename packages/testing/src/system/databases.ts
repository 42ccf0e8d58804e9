import { pinSession } from '@gudang/session';
import pg from 'pg';

// biome-ignore lint/suspicious/noExplicitAny: rows of any shape, asserted on by the test
export type Rows = Record<string, any>[];
export type Query = (sql: string, values?: readonly unknown[]) => Promise<Rows>;

export interface Databases {
  readonly order: Query;
  readonly stock: Query;
  readonly close: () => Promise<void>;
}

/** Opens both services' databases for direct queries. Connections open at first use. */
export function openDatabases(urls: { readonly order: string; readonly stock: string }): Databases {
  const pools = { order: poolOf(urls.order), stock: poolOf(urls.stock) };
  const ask =
    (pool: pg.Pool): Query =>
    async (sql, values = []) =>
      (await pool.query(sql, [...values])).rows;
  return {
    order: ask(pools.order),
    stock: ask(pools.stock),
    close: async () => {
      await Promise.all([pools.order.end(), pools.stock.end()]);
    },
  };
}

function poolOf(url: string): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: 4,
    application_name: 'gudang-tests',
    connectionTimeoutMillis: 5_000,
    onConnect: async (connection) => {
      await pinSession(connection, url);
    },
  });
  // Idle connections fail when a test kills the server.
  pool.on('error', () => {});
  return pool;
}

/** Sets defaults of a database's new sessions, such as `{ TimeZone: 'Asia/Jakarta' }`. */
export async function setSessionDefaults(
  url: string,
  defaults: Readonly<Record<string, string>>,
): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const database = pg.escapeIdentifier(new URL(url).pathname.slice(1));
    for (const [name, value] of Object.entries(defaults)) {
      await client.query(`ALTER DATABASE ${database} SET ${name} = ${pg.escapeLiteral(value)}`);
    }
  } finally {
    await client.end();
  }
}
