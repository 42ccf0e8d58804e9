import { randomUUID } from 'node:crypto';
import type { StockState } from '@gudang/events';
import { parseArguments } from '@gudang/subgraph';
import type { Transaction } from '../database.ts';
import { alreadyExists } from './add-stock.ts';
import { lockStocks } from './lock-stocks.ts';
import {
  type Applied,
  failed,
  type ItemChange,
  type ItemResult,
  type Parsed,
  type ParseItem,
  runBatch,
} from './run-batch.ts';
import type { ChangeContext } from './run-change.ts';
import { newStock } from './stock-arguments.ts';

/**
 * Adds stocks in one transaction. Its statements do not depend on the number of items.
 * @param unchecked `{ inputs: { id?, name, quantity }[], allOrNothing, idempotencyKey? }`
 * @returns one result for each item
 * @throws {ServiceError} BAD_USER_INPUT, IDEMPOTENCY_CONFLICT
 */
export async function addStocks(
  context: ChangeContext,
  unchecked: unknown,
): Promise<readonly ItemResult[]> {
  const parse: ParseItem<Addition> = (item, at) => {
    const { id, name, quantity } = parseArguments(newStock, item, at);
    return { id: id ?? randomUUID(), name, quantity };
  };
  return runBatch(context, 'addStocks', unchecked, parse, applyAdditions);
}

type Addition = Pick<StockState, 'id' | 'name' | 'quantity'>;

/** Inserts the rows of new stocks, and gives deleted stocks a next version. */
async function applyAdditions(
  transaction: Transaction,
  items: readonly Parsed<Addition>[],
): Promise<Applied> {
  const firsts = new Map<string, Addition>();
  for (const parsed of items) {
    if ('item' in parsed && !firsts.has(parsed.item.id)) firsts.set(parsed.item.id, parsed.item);
  }
  const inserted = await insertStocks(transaction, [...firsts.values()]);
  const { stocks, now } = await lockStocks(
    transaction,
    [...firsts.keys()].filter((id) => !inserted.has(id)),
  );
  const changes: ItemChange[] = [];
  const added = new Set<string>();
  const results = items.map((parsed): ItemResult => {
    if ('error' in parsed) return failed(parsed.error);
    const { id, name, quantity } = parsed.item;
    const before = stocks.get(id);
    const isNew = inserted.has(id) || (before !== undefined && before.deletedAt !== null);
    if (added.has(id) || !isNew) return failed(alreadyExists(id, `${parsed.at}.id`));
    added.add(id);
    const version = (before?.version ?? 0) + 1;
    const stock = { id, name, quantity, version, createdAt: now, updatedAt: now };
    changes.push({ stock, kind: 'CREATED', delta: quantity, orderId: null });
    return { stock, error: null };
  });
  return { results, inserted, changes };
}

/**
 * Inserts stocks that do not exist, in ascending order of their ids, so that parallel batches cannot
 * deadlock. No rows may be locked yet.
 * @returns the ids of the inserted stocks
 */
async function insertStocks(
  transaction: Transaction,
  stocks: readonly Addition[],
): Promise<Set<string>> {
  const rows = await transaction.$queryRaw<{ id: string }[]>`
    INSERT INTO stocks (id, name, quantity)
    SELECT id, name, quantity FROM unnest(
      ${stocks.map(({ id }) => id)}::text[],
      ${stocks.map(({ name }) => name)}::text[],
      ${stocks.map(({ quantity }) => quantity)}::int[]
    ) AS stock (id, name, quantity)
    ORDER BY id COLLATE "C"
    ON CONFLICT (id) DO NOTHING RETURNING id`;
  return new Set(rows.map(({ id }) => id));
}
