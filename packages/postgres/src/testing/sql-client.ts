import pg from 'pg';
import type { SqlClient } from '../statements.ts';

/** Replaces the part of a Prisma client that this package uses. It uses pg directly. */
export function createSqlClient(url: string) {
  const pool = new pg.Pool({ connectionString: url, max: 4 });
  pool.on('error', () => {});
  const client: SqlClient = {
    $queryRawUnsafe: async <T>(query: string, ...values: unknown[]) =>
      (await pool.query(query, values)).rows as T,
    $executeRawUnsafe: async (query, ...values) => (await pool.query(query, values)).rowCount ?? 0,
  };
  return {
    ...client,
    query: async (sql: string, values: unknown[] = []) => (await pool.query(sql, values)).rows,
    end: () => pool.end(),
  };
}
