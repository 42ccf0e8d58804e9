import { createTestDatabase, type TestDatabase } from '@gudang/embedded/testing';
import type { KafkaRecord } from '@gudang/kafka';
import { isInvalidData, isOutage, sqlState } from '@gudang/postgres';
import { createSqlClient } from '@gudang/postgres/testing';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import { type Apply, applyBatch, type InboxMessage } from './apply-batch.ts';

let database: TestDatabase;
let sql: ReturnType<typeof createSqlClient>;
beforeAll(async () => {
  database = await createTestDatabase(inject('postgresUrl'), 'stock');
  sql = createSqlClient(database.url);
});
afterAll(async () => {
  await sql.end();
  await database.drop();
});
beforeEach(() => sql.query('TRUNCATE outbox, stocks CASCADE'));

const record = (offset: number): KafkaRecord => ({
  topic: 'order_created',
  partition: 0,
  offset: String(offset),
  timestamp: '0',
  key: Buffer.from('k'),
  value: Buffer.from([0, 255, offset]),
  headers: { ce_id: Buffer.from('one'), bad: Buffer.from('a\u0000b') },
});
const messageOf = (quantity: number, offset: number): InboxMessage<number> => ({
  message: quantity,
  record: record(offset),
});
/** Applies a batch in one transaction, as the services do: completely or not at all. */
const apply: Apply<number> = async (messages, deadLetters) => {
  const client = await new pg.Pool({ connectionString: database.url, max: 1 }).connect();
  try {
    await client.query('BEGIN');
    await client.query(
      `INSERT INTO stocks (id, name, quantity)
       SELECT 's' || number, 'stock', quantity::int FROM unnest($1::text[]) WITH ORDINALITY
         AS given (quantity, number) ON CONFLICT DO NOTHING`,
      [messages.map(({ message }) => String(message))],
    );
    await deadLetters.write({
      $queryRawUnsafe: async () => [] as never,
      $executeRawUnsafe: async (query, ...values) =>
        (await client.query(query, values)).rowCount ?? 0,
    });
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release(true);
  }
};

it('applyBatch dead-letters records that PostgreSQL refuses (classes 22 and 23) and applies the others', async () => {
  const messages = [1, 2, -1, 4, 2 ** 31, 6].map(messageOf);
  const unreadable = [{ record: record(9), reason: 'half \ud800 and NUL \u0000' }];
  await applyBatch({ topic: 'order_created', messages, unreadable, apply });
  const rows = await sql.query(
    `SELECT headers ->> 'gudang_origin_offset' AS at, headers ->> 'gudang_reason' AS reason, value
     FROM outbox ORDER BY id`,
  );
  expect(rows.map(({ at, reason }) => [at, reason])).toEqual([
    ['9', 'half \ufffd and NUL '],
    ['2', expect.stringContaining('violates check constraint')],
    ['4', expect.stringContaining('out of range')],
  ]);
  expect(rows[0].value).toEqual(Buffer.from([0, 255, 9]));
});

it('applyBatch throws an outage error without splitting the batch', async () => {
  let calls = 0;
  const killed = applyBatch({
    topic: 'order_created',
    messages: [messageOf(1, 0), messageOf(2, 1)],
    apply: async () => {
      calls += 1;
      await sql.query('SELECT pg_terminate_backend(pg_backend_pid())');
    },
  });
  await expect(killed).rejects.toSatisfy(isOutage);
  expect(calls).toBe(1);
});

it.each([
  ['a repeated key', 'INSERT INTO relay DEFAULT VALUES', '23505', false, false],
  ['a null', 'INSERT INTO outbox (topic) VALUES (NULL)', '23502', true, false],
  ['no UUID', "SELECT 'x'::uuid", '22P02', true, false],
  ['a killed session', 'SELECT pg_terminate_backend(pg_backend_pid())', '57P01', false, true],
  ['a missing table', 'SELECT * FROM nowhere', '42P01', false, false],
])('classifies %s', async (_name, statement, state, refused, outage) => {
  const error = await sql.query(statement).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect([sqlState(error), isInvalidData(error), isOutage(error)]).toEqual([
    state,
    refused,
    outage,
  ]);
});

it('isOutage recognizes a refused connection and an exhausted pool', async () => {
  const refusing = new pg.Client({ connectionString: 'postgresql://postgres@127.0.0.1:1/x' });
  await expect(refusing.connect()).rejects.toSatisfy(isOutage);
  const pool = new pg.Pool({ connectionString: database.url, max: 1 });
  const holder = await pool.connect();
  pool.options.connectionTimeoutMillis = 50;
  await expect(pool.query('SELECT 1')).rejects.toSatisfy(isOutage);
  holder.release();
  await pool.end();
});
