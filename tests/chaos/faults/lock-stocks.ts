import pg from 'pg';

/** Holds the row locks of stocks, so that whoever wants them waits. */
export async function lockStocks(url: string, ids: readonly string[]) {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  await client.query('BEGIN');
  await client.query('SELECT FROM stocks WHERE id = ANY($1) ORDER BY id FOR UPDATE', [ids]);
  let released = false;
  return {
    /** How many connections wait for a lock. */
    whoWaits: async (): Promise<number> => {
      const { rows } = await client.query(
        `SELECT count(*)::int AS count FROM pg_stat_activity
         WHERE wait_event_type = 'Lock' AND application_name = 'stock-subgraph'`,
      );
      return rows[0].count;
    },
    release: async (): Promise<void> => {
      if (released) return;
      released = true;
      await client.query('ROLLBACK').catch(() => {});
      await client.end().catch(() => {});
    },
  };
}
