import pg from 'pg';

/** A snapshot that keeps all rows that are deleted while it is held, as a backup does. */
export interface HeldSnapshot {
  readonly release: () => Promise<void>;
}

/** Opens a transaction that keeps its snapshot, and leaves it idle. */
export async function holdSnapshot(databaseUrl: string): Promise<HeldSnapshot> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'snapshot' });
  client.on('error', () => {});
  await client.connect();
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  await client.query('SELECT FROM relay');
  return { release: () => client.end() };
}

/** Number of rows that one transaction inserts and deletes. */
const CHUNK = 100_000;
/** Number of rows that are sent after each chunk. */
const SENT = 1_000;
const VALUE = 'x'.repeat(50);

/**
 * Leaves dead rows in an outbox. For each 100,000 rows, one transaction inserts and deletes 99,000 rows, so
 * that they are never sent, and another one inserts 1,000 rows, which the relay sends and deletes.
 * @param topic a topic that nothing consumes, without KAFKA_TOPIC_PREFIX
 */
export async function passOutboxRows(
  databaseUrl: string,
  { topic, count }: { topic: string; count: number },
): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'pass-rows' });
  await client.connect();
  const insert = async (rows: number): Promise<{ first: string; last: string }> => {
    const { rows: range } = await client.query(
      `WITH inserted AS (
         INSERT INTO outbox (topic, key, value)
         SELECT $1, 'k', convert_to($2, 'UTF8') FROM generate_series(1, $3) RETURNING id
       ) SELECT min(id) AS first, max(id) AS last FROM inserted`,
      [topic, VALUE, rows],
    );
    return range[0];
  };
  const isSent = async ({ first, last }: { first: string; last: string }): Promise<boolean> => {
    const { rows } = await client.query(
      'SELECT FROM outbox WHERE id BETWEEN $1 AND $2 AND topic = $3 LIMIT 1',
      [first, last, topic],
    );
    return rows.length === 0;
  };
  try {
    await client.query('SET enable_seqscan = off');
    for (let left = count; left > 0; left -= CHUNK) {
      await client.query('BEGIN');
      const { first, last } = await insert(Math.min(left, CHUNK) - SENT);
      await client.query('DELETE FROM outbox WHERE id BETWEEN $1 AND $2 AND topic = $3', [
        first,
        last,
        topic,
      ]);
      await client.query('COMMIT');
      const range = await insert(SENT);
      await client.query('NOTIFY outbox');
      while (!(await isSent(range))) await client.query('SELECT pg_sleep(0.02)');
    }
  } finally {
    await client.end();
  }
}
