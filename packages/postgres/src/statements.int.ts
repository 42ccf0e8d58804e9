import { createTestDatabase, type TestDatabase } from '@gudang/embedded/testing';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { postgresPool } from './pool.ts';
import { isInvalidData, isOutage } from './sql-state.ts';
import { createTransaction, type RunTransaction } from './statements.ts';

let testDatabase: TestDatabase;
let pool: Pool;
let transaction: RunTransaction;

beforeAll(async () => {
  testDatabase = await createTestDatabase(inject('postgresUrl'), 'stock');
  pool = postgresPool({ url: testDatabase.url, pool: 2, name: 'test' });
  // This replaces Prisma.sql, which exists only in the subgraphs.
  transaction = createTransaction(pool, (strings, ...values) => ({
    text: strings.reduce((text, part, index) => `${text}$${index}${part}`),
    values,
  }));
});
afterAll(async () => {
  await pool.end();
  await testDatabase.drop();
});

const stocks = async (): Promise<unknown[]> => (await pool.query('SELECT id FROM stocks')).rows;
const ADD = "INSERT INTO stocks (id, name, quantity) VALUES ($1, 'n', $2)";

describe('transaction', () => {
  it('passes arrays of every type unchanged, including empty arrays and nulls', async () => {
    const texts = ['', 'kopi "☕", {\\}', 'NULL', null];
    const ints = [0, -1, 2_147_483_647, null];
    const uuids = ['0af76519-16cd-43dd-8448-eb211c80319c', null];
    const times = [new Date(0), new Date('1999-12-31T23:59:59.999Z'), new Date(8.64e14 - 1), null];
    const read = await transaction(
      (transaction) =>
        transaction.$queryRaw`
      SELECT ${texts}::text[] AS texts, ${ints}::int[] AS ints, ${uuids}::uuid[] AS uuids,
        ${times}::timestamptz[] AS times, ${[true, false, null]}::boolean[] AS booleans,
        ${[]}::text[] AS nothing, ${7}::int AS one`,
    );
    expect(read).toEqual([
      { texts, ints, uuids, times, booleans: [true, false, null], nothing: [], one: 7 },
    ]);
  });

  it('commits when the work resolves and rolls back when it throws', async () => {
    const lost = transaction(async (transaction) => {
      await transaction.$executeRawUnsafe(ADD, 'lost', 1);
      throw new Error('no');
    });
    await expect(lost).rejects.toThrow('no');
    const written = await transaction((transaction) =>
      transaction.$executeRawUnsafe(ADD, 'kept', 1),
    );
    expect(written).toBe(1);
    expect(await stocks()).toEqual([{ id: 'kept' }]);
  });

  it('throws an error for invalid data and keeps the connection usable', async () => {
    const refused = await transaction((transaction) =>
      transaction.$executeRawUnsafe(ADD, 'refused', -1),
    ).catch((error: unknown) => error);
    expect(isInvalidData(refused)).toBe(true);
    const nul = await transaction(
      (transaction) => transaction.$queryRaw`SELECT ${['a\u0000']}::text[]`,
    ).catch((error: unknown) => error);
    expect(isInvalidData(nul)).toBe(true);
    expect(pool.totalCount).toBe(pool.idleCount);
  });

  it('throws an outage error when the connection is lost, and opens a new one', async () => {
    const lost = await transaction(async (transaction) => {
      const [row] = await transaction.$queryRaw<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`;
      await pool.query('SELECT pg_terminate_backend($1, 5000)', [row?.pid]);
      await transaction.$queryRaw`SELECT 1`;
    }).catch((error: unknown) => error);
    expect(isOutage(lost)).toBe(true);
    expect(await transaction((transaction) => transaction.$queryRaw`SELECT 1 AS one`)).toEqual([
      { one: 1 },
    ]);
  });

  const [one, other] = ['conflict-1', 'conflict-2'];
  const UPDATE = 'UPDATE stocks SET quantity = quantity + 1 WHERE id = $1';
  /** Runs two transactions whose first attempts reach their second statement at the same time. */
  const conflict = async (
    begin: string,
    rows: readonly (readonly [first: string, second: string])[],
  ): Promise<{ attempts: number; quantities: number[] }> => {
    await pool.query('DELETE FROM stocks');
    await pool.query(`INSERT INTO stocks (id, name, quantity) VALUES ($1, 'n', 0), ($2, 'n', 0)`, [
      one,
      other,
    ]);
    let attempts = 0;
    let reached = 0;
    let meet = (): void => {};
    const met = new Promise<void>((resolve) => {
      meet = resolve;
    });
    await Promise.all(
      rows.map(([first, second]) =>
        transaction(async (transaction) => {
          attempts += 1;
          await transaction.$executeRawUnsafe(begin);
          await transaction.$queryRawUnsafe('SELECT quantity FROM stocks WHERE id = $1', first);
          if (first !== second) await transaction.$executeRawUnsafe(UPDATE, first);
          reached += 1;
          if (reached === 2) meet();
          await met;
          await transaction.$executeRawUnsafe(UPDATE, second);
        }),
      ),
    );
    const stored = await pool.query('SELECT quantity FROM stocks ORDER BY id');
    return { attempts, quantities: stored.rows.map(({ quantity }) => quantity) };
  };

  it('runs the victim of a deadlock again', async () => {
    const { attempts, quantities } = await conflict('SELECT 1', [
      [one, other],
      [other, one],
    ]);
    expect(attempts).toBe(3);
    expect(quantities).toEqual([2, 2]);
  });

  it('runs a transaction again after a serialization failure', async () => {
    const { attempts, quantities } = await conflict(
      'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ',
      [
        [one, one],
        [one, one],
      ],
    );
    expect(attempts).toBe(3);
    expect(quantities).toEqual([2, 0]);
  });
});
