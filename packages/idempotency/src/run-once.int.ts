import { createTestDatabase, type TestDatabase } from '@gudang/embedded/testing';
import type { SqlClient } from '@gudang/postgres';
import { createSqlClient } from '@gudang/postgres/testing';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { purgeKeys, startKeyPurge } from './key-purge.ts';
import { type IdempotencyClaim, runOnce } from './run-once.ts';

type RawTransaction = Parameters<typeof runOnce>[0];
type Client = ReturnType<typeof createSqlClient>;

const codec = {
  encode: (count: number) => ({ count }),
  decode: ({ count }: { count: number }) => count,
};

describe.each(['order', 'stock'] as const)('in %s_db', (name) => {
  let testDatabase: TestDatabase;
  let database: Client;
  let pool: pg.Pool;

  beforeAll(async () => {
    testDatabase = await createTestDatabase(inject('postgresUrl'), name);
    database = createSqlClient(testDatabase.url);
    pool = new pg.Pool({ connectionString: testDatabase.url, max: 10 });
    // The database may be dropped before the server has closed a connection.
    pool.on('error', () => {});
    await database.query('CREATE TABLE work (done INT GENERATED ALWAYS AS IDENTITY)');
  });
  afterAll(async () => {
    await pool.end();
    await database.end();
    await testDatabase.drop();
  });
  beforeEach(() => database.query('TRUNCATE idempotency_keys, work RESTART IDENTITY'));

  const claim = (more: Partial<IdempotencyClaim> = {}): IdempotencyClaim => ({
    principal: 'Siti',
    mutation: 'adjustStock',
    key: 'key',
    input: { id: 'kopi', delta: 1 },
    argument: 'idempotencyKey',
    ...more,
  });

  /** Runs work that counts, in a transaction of its own. */
  async function count(given: IdempotencyClaim | undefined, fail = false) {
    const connection = await pool.connect();
    const transaction: SqlClient = {
      $queryRawUnsafe: async <T>(sql: string, ...values: unknown[]) =>
        (await connection.query(sql, values)).rows as T,
      $executeRawUnsafe: async (sql, ...values) =>
        (await connection.query(sql, values)).rowCount ?? 0,
    };
    try {
      await connection.query('BEGIN');
      const done = await runOnce(transaction as RawTransaction, given, codec, async () => {
        const [row] = await transaction.$queryRawUnsafe<{ done: number }[]>(
          'INSERT INTO work DEFAULT VALUES RETURNING done',
        );
        if (fail) throw new Error('work failed');
        return row?.done ?? 0;
      });
      await connection.query('COMMIT');
      return done;
    } catch (error) {
      await connection.query('ROLLBACK');
      throw error;
    } finally {
      connection.release();
    }
  }
  const works = async (): Promise<number> => (await database.query('SELECT 1 FROM work')).length;

  it('runs the work once for 50 parallel requests', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => count(claim())));
    expect(new Set(answers.map(({ result }) => result)).size).toBe(1);
    expect(answers.filter(({ isReplay }) => !isReplay)).toHaveLength(1);
    expect(await works()).toBe(1);
  });

  it('runs the work for each request without a key', async () => {
    await Promise.all([count(undefined), count(undefined)]);
    expect(await works()).toBe(2);
    expect(await database.query('SELECT 1 FROM idempotency_keys')).toEqual([]);
  });

  it('keeps nothing of work that failed', async () => {
    await expect(count(claim(), true)).rejects.toThrow('work failed');
    expect(await count(claim())).toMatchObject({ isReplay: false });
    expect(await works()).toBe(1);
  });

  it('rejects a key with another input, also from a parallel request', async () => {
    const inputs = [{ delta: 1 }, { delta: 2 }];
    const answers = await Promise.allSettled(inputs.map((input) => count(claim({ input }))));
    const refused = answers.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    expect(refused).toMatchObject([
      { code: 'IDEMPOTENCY_CONFLICT', details: { argument: 'idempotencyKey' } },
    ]);
    expect(await works()).toBe(1);
  });

  it.each([{ principal: 'Budi' }, { mutation: 'deleteStock' }, { key: 'Key' }])(
    'does not share keys with %o',
    async (other) => {
      await count(claim());
      expect(await count(claim(other))).toMatchObject({ isReplay: false });
      expect(await works()).toBe(2);
    },
  );

  it('claims the key if the request that it waited for fails', async () => {
    const holder = await pool.connect();
    await holder.query('BEGIN');
    await holder.query(
      `INSERT INTO idempotency_keys (principal, mutation, key, input)
       VALUES ('Siti', 'adjustStock', 'key', sha256('other'))`,
    );
    const repeat = count(claim());
    await vi.waitFor(async () => {
      const waiting = await database.query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      expect(waiting).toHaveLength(1);
    });
    await holder.query('ROLLBACK');
    holder.release();
    expect(await repeat).toMatchObject({ isReplay: false });
  });

  it('purges only expired keys, in batches', async () => {
    await database.query(
      `INSERT INTO idempotency_keys (principal, mutation, key, input, created_at)
       SELECT 'Siti', 'adjustStock', n::text, sha256('x'), now() - make_interval(days => n / 1500 * 29 + 2)
       FROM generate_series(1, 2999) AS n`,
    );
    const left = async () =>
      (await database.query('SELECT count(*)::int AS keys FROM idempotency_keys'))[0]?.keys;
    expect(await purgeKeys(database, 30)).toBe(1_000);
    expect(await left()).toBe(1_999);
    const purge = startKeyPurge({ log: { debug: () => {} } }, { database, days: 30, firstMs: 0 });
    try {
      await vi.waitFor(async () => expect(await left()).toBe(1_499));
    } finally {
      await purge.stop();
    }
    expect(await purgeKeys(database, 30)).toBe(0);
  });
});
