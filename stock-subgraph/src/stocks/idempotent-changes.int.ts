import { createTestDatabase, type TestDatabase } from '@gudang/embedded/testing';
import type { StockState } from '@gudang/events';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { type Database, openDatabase } from '../database.ts';
import { addStock } from './add-stock.ts';
import { adjustStock, deleteStock, updateStock } from './change-stock.ts';
import { findMovementPages } from './ledger.ts';
import type { ChangeContext } from './run-change.ts';

let testDatabase: TestDatabase;
/** The databases of two replicas. */
let replicas: readonly [Database, Database];

beforeAll(async () => {
  testDatabase = await createTestDatabase(inject('postgresUrl'), 'stock');
  const { url } = testDatabase;
  replicas = [openDatabase({ url, pool: 10 }), openDatabase({ url, pool: 10 })];
  // Prisma closes the pool only if it has connected.
  for (const replica of replicas) await replica.$connect();
});
afterAll(async () => {
  for (const replica of replicas) await replica.$disconnect();
  await testDatabase.drop();
});
beforeEach(async () => {
  await replicas[0].$executeRaw`TRUNCATE stocks, movements, outbox, idempotency_keys`;
  await addStock({ database: replicas[0] }, { id: 'kopi', name: 'Kopi', quantity: 10 });
});

const of = (subject: string | undefined, replica = 0): ChangeContext => ({
  database: replica === 0 ? replicas[0] : replicas[1],
  identity: { subject, scopes: [] },
});
const stored = (id = 'kopi'): Promise<StockState | null> =>
  replicas[0].stock.findUnique({ where: { id } });
const counts = async () => {
  const [found] = await replicas[0].$queryRaw<{ movements: number; events: number }[]>`
    SELECT (SELECT count(*) FROM movements)::int AS movements,
           (SELECT count(*) FROM outbox)::int AS events`;
  return found;
};

const key = 'key';
/** Each mutation with an idempotency key, and with another input. */
const MUTATIONS = {
  addStock: [
    (context: ChangeContext) => addStock(context, { name: 'Teh', quantity: 1 }, key),
    (context: ChangeContext) => addStock(context, { name: 'Teh', quantity: 2 }, key),
  ],
  updateStock: [
    (context: ChangeContext) =>
      updateStock(context, {
        id: 'kopi',
        input: { name: 'Kopi 2', expectedVersion: 1 },
        idempotencyKey: key,
      }),
    (context: ChangeContext) =>
      updateStock(context, { id: 'kopi', input: { name: 'Kopi 2' }, idempotencyKey: key }),
  ],
  adjustStock: [
    (context: ChangeContext) =>
      adjustStock(context, { id: 'kopi', delta: -10, expectedVersion: 1, idempotencyKey: key }),
    (context: ChangeContext) =>
      adjustStock(context, { id: 'kopi', delta: -9, expectedVersion: 1, idempotencyKey: key }),
  ],
  deleteStock: [
    (context: ChangeContext) => deleteStock(context, { id: 'kopi', idempotencyKey: key }),
    (context: ChangeContext) => deleteStock(context, { id: 'teh', idempotencyKey: key }),
  ],
} as const;

describe.each(Object.entries(MUTATIONS))('%s with an idempotency key', (_name, [first, other]) => {
  it('makes one change for 50 parallel requests to two replicas, and answers them all alike', async () => {
    const requests = Array.from({ length: 50 }, (_, index) => first(of('Siti', index % 2)));
    const answers = await Promise.all(requests);
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(await counts()).toEqual({ movements: 2, events: 2 });
  });

  it('answers a repeat with the recorded version, after later changes', async () => {
    const answer = await first(of('Siti'));
    await addStock(of('Budi'), { id: answer.id, name: 'Baru', quantity: 5 }).catch(() => {});
    await adjustStock(of('Budi'), { id: answer.id, delta: 3 });
    expect(await first(of('Siti'))).toEqual(answer);
    expect(await stored(answer.id)).not.toEqual(answer);
  });

  it('rejects another input, before it looks at the stock', async () => {
    await first(of('Siti'));
    const before = await counts();
    await expect(other(of('Siti'))).rejects.toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
      details: { argument: 'idempotencyKey' },
    });
    expect(await counts()).toEqual(before);
  });
});

it('stores nothing if the mutation fails, so that the key can be used again', async () => {
  const adjust = () => adjustStock(of('Siti'), { id: 'teh', delta: 1, idempotencyKey: key });
  await expect(adjust()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await addStock(of('Siti'), { id: 'teh', name: 'Teh', quantity: 1 });
  expect(await adjust()).toMatchObject({ quantity: 2 });
});

it('shares keys among all callers if authentication is disabled, and never among principals', async () => {
  const adjust = (subject?: string) =>
    adjustStock(of(subject), { id: 'kopi', delta: 1, idempotencyKey: key });
  for (const subject of ['Siti', 'Budi', undefined, undefined]) await adjust(subject);
  expect(await stored()).toMatchObject({ quantity: 13 });
});

it('writes the subject of each change to the ledger', async () => {
  await updateStock(of('Siti'), { id: 'kopi', input: { quantity: 5, reason: 'count' } });
  await adjustStock(of('Budi'), { id: 'kopi', delta: 1, reason: 'found' });
  await deleteStock(of('Siti'), { id: 'kopi' });
  await addStock(of('Budi'), { id: 'kopi', name: 'Kopi', quantity: 1 });
  await adjustStock(of(undefined), { id: 'kopi', delta: 1 });
  const page = { size: 10, forward: true, after: undefined, before: undefined };
  const [entries] = await findMovementPages(replicas[0], ['kopi'], page);
  expect(entries?.map(({ kind, by, reason }) => [kind, by, reason]).reverse()).toEqual([
    ['CREATED', null, null],
    ['UPDATED', 'Siti', 'count'],
    ['ADJUSTED', 'Budi', 'found'],
    ['DELETED', 'Siti', null],
    ['CREATED', 'Budi', null],
    ['ADJUSTED', null, null],
  ]);
});

describe('updateStock', () => {
  it('keeps the name or the quantity if it is not given', async () => {
    const update = (input: object) => updateStock(of('Siti'), { id: 'kopi', input });
    expect(await update({ name: 'Kopi Gayo' })).toMatchObject({ name: 'Kopi Gayo', quantity: 10 });
    expect(await update({ quantity: 7, name: null })).toMatchObject({
      name: 'Kopi Gayo',
      quantity: 7,
      version: 3,
    });
    for (const input of [{}, { name: null, quantity: null }, { reason: 'none' }])
      await expect(update(input)).rejects.toMatchObject({
        code: 'BAD_USER_INPUT',
        details: { argument: 'input', allowed: expect.stringContaining('a quantity or both') },
      });
  });
});

describe('adjustStock', () => {
  it('rejects another version than the expected one', async () => {
    const adjust = () => adjustStock(of('Siti'), { id: 'kopi', delta: 1, expectedVersion: 1 });
    await adjust();
    await expect(adjust()).rejects.toMatchObject({
      code: 'VERSION_CONFLICT',
      details: { argument: 'expectedVersion', version: 2 },
    });
  });
});
