import { createTestDatabase, type TestDatabase } from '@gudang/embedded/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { type Database, openDatabase } from '../database.ts';
import { addStock } from './add-stock.ts';
import { addStocks } from './add-stocks.ts';
import { adjustStock, deleteStock, updateStock } from './change-stock.ts';
import { adjustStocks, updateStocks } from './change-stocks.ts';
import type { ItemResult } from './run-batch.ts';

const SEED = 20261129;
const INT_MAX = 2 ** 31 - 1;

/** The database of the batches, and that of the same items as single mutations. */
let testDatabases: readonly TestDatabase[];
let batches: Database;
let singles: Database;

beforeAll(async () => {
  const create = () => createTestDatabase(inject('postgresUrl'), 'stock');
  const [one, other] = [await create(), await create()];
  testDatabases = [one, other];
  batches = openDatabase({ url: one.url, pool: 10 });
  singles = openDatabase({ url: other.url, pool: 2 });
});
afterAll(async () => {
  for (const database of [batches, singles]) await database.$disconnect();
  for (const testDatabase of testDatabases) await testDatabase.drop();
});
const clear = async (): Promise<void> => {
  for (const database of [batches, singles])
    await database.$executeRaw`TRUNCATE stocks, movements, outbox, idempotency_keys`;
};
beforeEach(clear);

const context = () => ({ database: batches, identity: { subject: 'Siti', scopes: [] } });
const single = () => ({ database: singles, identity: { subject: 'Siti', scopes: [] } });

type Item = Readonly<Record<string, unknown>>;
/** Each batch mutation, and the single mutation of one of its items. */
const MUTATIONS = {
  add: [addStocks, (item: Item) => addStock(single(), item)],
  update: [updateStocks, ({ id, ...input }: Item) => updateStock(single(), { id, input })],
  adjust: [adjustStocks, (item: Item) => adjustStock(single(), item)],
} as const;

/** The parts of a result that do not depend on the time, nor on the form of the arguments. */
function comparable(result: Pick<ItemResult, 'stock' | 'error'>): unknown {
  if (result.error) return result.error.code;
  const { id, name, quantity, version } = result.stock ?? {};
  return { id, name, quantity, version };
}

async function applySingly(mutate: (item: Item) => Promise<ItemResult['stock']>, item: Item) {
  return mutate(item).then(
    (stock) => comparable({ stock, error: null } as ItemResult),
    (error) => error.code,
  );
}

async function contentOf(database: Database): Promise<unknown> {
  const stocks = await database.$queryRaw`
    SELECT id, name, quantity, version, deleted_at IS NULL AS exists FROM stocks ORDER BY id`;
  const movements = await database.$queryRaw`
    SELECT stock_id, version, kind::text, delta, quantity_after, reason, "by"
    FROM movements ORDER BY stock_id, version`;
  const events = await database.$queryRaw`
    SELECT convert_from(key, 'UTF8') AS key, version FROM outbox ORDER BY key, id`;
  return { stocks, movements, events };
}

const id = fc.constantFrom('a', 'b', 'c', 'd', 'gone', '', 'x'.repeat(101));
const name = fc.constantFrom('Kopi', 'Teh', '', undefined, null, 'n'.repeat(255));
const quantity = fc.constantFrom(0, 1, 10, INT_MAX, -1, undefined, null);
const reason = fc.constantFrom(undefined, null, 'count', '');
const expectedVersion = fc.constantFrom(undefined, undefined, undefined, null, 1, 2, 3, 0);
const items = (item: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<Item[]> =>
  fc.array(fc.record(item), { minLength: 1, maxLength: 12 });
const call = fc.oneof(
  fc.tuple(fc.constant('add' as const), items({ id, name, quantity })),
  fc.tuple(fc.constant('update' as const), items({ id, name, quantity, reason, expectedVersion })),
  fc.tuple(
    fc.constant('adjust' as const),
    items({
      id,
      delta: fc.constantFrom(1, -1, 5, -11, INT_MAX, -INT_MAX, 0),
      reason,
      expectedVersion,
    }),
  ),
);

describe('a batch', () => {
  it('has the results and effects of its items as single mutations, in their order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 4 }), async (calls) => {
        await clear();
        for (const database of [batches, singles]) {
          await addStock({ database }, { id: 'a', name: 'A', quantity: 10 });
          await addStock({ database }, { id: 'gone', name: 'Gone', quantity: 3 });
          await deleteStock({ database }, { id: 'gone' });
        }
        for (const [mutation, inputs] of calls) {
          const [batch, one] = MUTATIONS[mutation];
          const results = await batch(context(), { inputs, allOrNothing: false });
          const expected: unknown[] = [];
          for (const item of inputs) expected.push(await applySingly(one, item));
          expect(results.map(comparable)).toEqual(expected);
        }
        expect(await contentOf(batches)).toEqual(await contentOf(singles));
      }),
      // Shrinking would take minutes, because each run writes to two databases.
      { seed: SEED, numRuns: 60, endOnFailure: true },
    );
  });

  it('names the argument of each item’s error', async () => {
    await addStocks(context(), { inputs: [{ id: 'kopi', name: 'Kopi', quantity: 33 }] });
    const inputs = [
      { id: 'kopi', delta: -5_000 },
      { id: 'teh', delta: 1 },
      { id: 'kopi', delta: 1, expectedVersion: 7 },
      { id: '', delta: 0 },
      { id: 'kopi', delta: INT_MAX },
    ];
    const results = await adjustStocks(context(), { inputs });
    expect(results.map(({ error }) => error)).toMatchObject([
      {
        argument: 'inputs[0].delta',
        message: expect.stringContaining('the stock holds 33; you asked for 5,000'),
      },
      { code: 'NOT_FOUND', argument: 'inputs[1].id' },
      { code: 'VERSION_CONFLICT', argument: 'inputs[2].expectedVersion' },
      {
        argument: 'inputs[3].id',
        message:
          'inputs[3].id is empty; allowed: a text of 1 to 100 characters. ' +
          'inputs[3].delta must be other than 0',
      },
      { argument: 'inputs[4].delta', message: expect.stringContaining('you added 2,147,483,647') },
    ]);
  });

  it('changes nothing with allOrNothing if one item has an error, and does not use up the key', async () => {
    await addStock(context(), { id: 'kopi', name: 'Kopi', quantity: 10 });
    const before = await contentOf(batches);
    const inputs = [
      { id: 'kopi', delta: 1 },
      { id: 'teh', delta: 1 },
      { id: 'kopi', delta: 2 },
    ];
    const adjust = () =>
      adjustStocks(context(), { inputs, allOrNothing: true, idempotencyKey: 'key' });
    const failed = await adjust();
    expect(failed.map(({ stock, error }) => [stock, error?.code])).toEqual([
      [null, 'NOT_APPLIED'],
      [null, 'NOT_FOUND'],
      [null, 'NOT_APPLIED'],
    ]);
    expect(await contentOf(batches)).toEqual(before);
    await addStock(context(), { id: 'teh', name: 'Teh', quantity: 1 });
    expect((await adjust()).map(({ stock }) => stock?.quantity)).toEqual([11, 2, 13]);
  });

  it('repeats the results of the first request, also its errors, to 20 parallel requests', async () => {
    const inputs = [
      { name: 'without an id', quantity: 1 },
      { id: 'kopi', name: 'Kopi', quantity: 10 },
      { id: 'kopi', name: 'Kopi', quantity: 10 },
      { id: 'teh', name: '', quantity: 1 },
    ];
    const add = () => addStocks(context(), { inputs, idempotencyKey: 'key' });
    const answers = await Promise.all(Array.from({ length: 20 }, add));
    expect(answers[0]?.map(({ error }) => error?.code)).toEqual([
      undefined,
      undefined,
      'ALREADY_EXISTS',
      'BAD_USER_INPUT',
    ]);
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    await adjustStock(context(), { id: 'kopi', delta: 1 });
    expect(await add()).toEqual(answers[0]);
    const other = addStocks(context(), { inputs: inputs.slice(1), idempotencyKey: 'key' });
    await expect(other).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
    expect(await batches.stock.count()).toBe(2);
  });

  it.each([[[]], [Array.from({ length: 1_001 }, () => ({ id: 'a', delta: 1 }))]])(
    'is rejected if it is empty or too long',
    async (inputs) => {
      await expect(adjustStocks(context(), { inputs })).rejects.toMatchObject({
        code: 'BAD_USER_INPUT',
        details: { argument: 'inputs', allowed: 'a list of 1 to 1,000 items' },
      });
    },
  );

  it('applies parallel batches of the same ids in another order', async () => {
    const ids = Array.from({ length: 100 }, (_, index) => `sku-${index}`);
    const additions = ids.map((id) => ({ id, name: id, quantity: 0 }));
    const deltas = ids.map((id) => ({ id, delta: 1 }));
    const rounds = Array.from({ length: 10 }, (_, round) =>
      round % 2 === 0 ? [additions, deltas] : [additions.toReversed(), deltas.toReversed()],
    );
    const added = await Promise.all(rounds.map(([inputs]) => addStocks(context(), { inputs })));
    expect(added.flat().filter(({ stock }) => stock)).toHaveLength(ids.length);
    await Promise.all(rounds.map(([, inputs]) => adjustStocks(context(), { inputs })));
    const [sum] = await batches.$queryRaw<{ units: number }[]>`
      SELECT sum(quantity)::int AS units FROM stocks`;
    expect(sum).toEqual({ units: ids.length * rounds.length });
  });
});
