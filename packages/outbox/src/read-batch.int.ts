import { createTestDatabase, type TestDatabase } from '@gudang/embedded/testing';
import { createSqlClient } from '@gudang/postgres/testing';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import type { LeaderSession } from './leader-session.ts';
import { readBatch } from './read-batch.ts';

describe('readBatch', () => {
  let database: TestDatabase;
  let sql: ReturnType<typeof createSqlClient>;
  let client: pg.Client;
  let session: Pick<LeaderSession, 'query'>;
  /** Bytes of the values that PostgreSQL returned. */
  let received: number;

  beforeAll(async () => {
    database = await createTestDatabase(inject('postgresUrl'), 'stock');
    sql = createSqlClient(database.url);
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
    session = {
      query: async (statement) => {
        const result = await client.query(statement);
        for (const row of result.rows) received += row.value?.length ?? 0;
        return result;
      },
    };
  });
  afterAll(async () => {
    await client.end();
    await sql.end();
    await database.drop();
  });
  beforeEach(async () => {
    received = 0;
    await sql.query('TRUNCATE outbox RESTART IDENTITY');
  });

  const insert = (count: number, bytes: number, headers: unknown = null) =>
    sql.query(
      `INSERT INTO outbox (topic, key, value, headers)
       SELECT 't', 'k', convert_to(repeat('x', $2), 'UTF8'), $3 FROM generate_series(1, $1)`,
      [count, bytes, headers && JSON.stringify(headers)],
    );
  /** Reads all batches: the number of rows of each, and the most bytes that were read for one. */
  const readAll = async (): Promise<{ counts: number[]; most: number }> => {
    const counts: number[] = [];
    let most = 0;
    for (let mark = 0; ; ) {
      received = 0;
      const { rows, isLast } = await readBatch(session, mark);
      most = Math.max(most, received);
      counts.push(rows.length);
      mark = Number(rows.at(-1)?.id ?? mark);
      if (isLast) return { counts, most };
    }
  };

  it('reads one row of 900 KB at a time', async () => {
    await insert(40, 900_000);
    const { counts, most } = await readAll();
    expect(counts).toEqual([...Array(40).fill(1), 0]);
    expect(most).toBe(900_000);
  });

  it('reads as many rows of 100 KB as fit into a batch', async () => {
    await insert(20, 100_000);
    const { counts, most } = await readAll();
    expect(counts).toEqual([7, 7, 6, 0]);
    expect(most).toBeLessThan(720_000);
  });

  it('reads 500 small rows at a time, and reads up to a large row', async () => {
    await insert(700, 100);
    await insert(1, 300_000);
    await insert(2, 100);
    const { counts, most } = await readAll();
    expect(counts).toEqual([500, 200, 3, 0]);
    expect(most).toBeLessThan(720_000);
  });

  it('counts the headers of dead letters', async () => {
    await insert(3, 10, { gudang_reason: 'x'.repeat(400_000) });
    expect((await readAll()).counts).toEqual([1, 1, 1, 0]);
  });

  it('returns all columns of large and of small rows', async () => {
    await insert(1, 10, { name: 'small', none: null });
    await insert(1, 10_000, { name: 'large' });
    const [small, large] = [await readBatch(session, 0), await readBatch(session, 1)];
    const names = [...small.rows, ...large.rows].map((row) => row.headers);
    expect(names).toEqual([{ name: 'small', none: null }, { name: 'large' }]);
    expect(large.rows[0]).toMatchObject({ id: '2', topic: 't', key: Buffer.from('k') });
    expect(large.rows[0]?.value).toHaveLength(10_000);
    expect(large.rows[0]?.created_at).toBeInstanceOf(Date);
  });
});
