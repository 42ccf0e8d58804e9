import { ServiceError } from '@gudang/runtime';
import { parseArguments } from '@gudang/subgraph';
import type { Transaction } from '../database.ts';
import { adjustBy, type EditStock, editStock, updateWith } from './edit-stock.ts';
import { lockStocks } from './lock-stocks.ts';
import {
  type Applied,
  failed,
  type ItemChange,
  type ItemResult,
  itemError,
  type Parsed,
  type ParseItem,
  runBatch,
} from './run-batch.ts';
import type { ChangeContext } from './run-change.ts';
import { adjustItem, updateItem } from './stock-arguments.ts';

/**
 * Sets the names and quantities of stocks in one transaction.
 * @param unchecked `{ inputs: { id, name?, quantity?, expectedVersion?, reason? }[], allOrNothing,
 *   idempotencyKey? }`
 * @returns one result for each item
 * @throws {ServiceError} BAD_USER_INPUT, IDEMPOTENCY_CONFLICT
 */
export async function updateStocks(
  context: ChangeContext,
  unchecked: unknown,
): Promise<readonly ItemResult[]> {
  const parse: ParseItem<NamedEdit> = (item, at) => {
    const { id, ...update } = parseArguments(updateItem, item, at);
    return { id, edit: updateWith(update, `${at}.`) };
  };
  return runBatch(context, 'updateStocks', unchecked, parse, applyEdits);
}

/**
 * Adds to the quantities of stocks in one transaction.
 * @param unchecked `{ inputs: { id, delta, reason?, expectedVersion? }[], allOrNothing, idempotencyKey? }`
 * @returns one result for each item
 * @throws {ServiceError} BAD_USER_INPUT, IDEMPOTENCY_CONFLICT
 */
export async function adjustStocks(
  context: ChangeContext,
  unchecked: unknown,
): Promise<readonly ItemResult[]> {
  const parse: ParseItem<NamedEdit> = (item, at) => {
    const { id, ...adjustment } = parseArguments(adjustItem, item, at);
    return { id, edit: adjustBy(adjustment, `${at}.`) };
  };
  return runBatch(context, 'adjustStocks', unchecked, parse, applyEdits);
}

interface NamedEdit {
  readonly id: string;
  readonly edit: EditStock;
}

/** Applies edits in their order, so that an edit sees the earlier ones of the same stock. */
async function applyEdits(
  transaction: Transaction,
  items: readonly Parsed<NamedEdit>[],
): Promise<Applied> {
  const ids = items.flatMap((parsed) => ('item' in parsed ? [parsed.item.id] : []));
  const { stocks, now } = await lockStocks(transaction, ids);
  const changes: ItemChange[] = [];
  const results = items.map((parsed): ItemResult => {
    if ('error' in parsed) return failed(parsed.error);
    const { id, edit } = parsed.item;
    try {
      const change = editStock({ stocks, now }, id, edit);
      stocks.set(id, { ...change.stock, deletedAt: null });
      changes.push(change);
      return { stock: change.stock, error: null };
    } catch (error) {
      return failed(withPath(itemError(error), `${parsed.at}.id`));
    }
  });
  return { results, inserted: new Set(), changes };
}

/** Adds the path of the id to an error that names no argument, such as NOT_FOUND. */
function withPath({ code, message, details }: ServiceError, argument: string): ServiceError {
  return new ServiceError(code, message, { details: { argument, ...details } });
}
