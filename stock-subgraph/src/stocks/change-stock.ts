import type { StockState } from '@gudang/events';
import { parseArguments } from '@gudang/subgraph';
import { adjustBy, deletion, type EditStock, editStock, updateWith } from './edit-stock.ts';
import { lockStocks } from './lock-stocks.ts';
import { type ChangeContext, type ChangeRequest, runChange, stockCodec } from './run-change.ts';
import { adjustArguments, deleteArguments, updateArguments } from './stock-arguments.ts';
import { writeChanges } from './write-changes.ts';

/**
 * Changes one stock while its row is locked.
 * @throws {ServiceError} NOT_FOUND if the stock does not exist or was deleted; IDEMPOTENCY_CONFLICT
 */
function changeStock(
  context: ChangeContext,
  request: ChangeRequest & { readonly input: { readonly id: string } },
  edit: EditStock,
): Promise<StockState> {
  const { traceparent, identity } = context;
  const { id } = request.input;
  return runChange(context, request, stockCodec, async (transaction) => {
    const change = editStock(await lockStocks(transaction, [id]), id, edit);
    await writeChanges(transaction, [{ ...change, by: identity?.subject, traceparent }]);
    return change.stock;
  });
}

/**
 * Sets the name, the quantity or both of a stock.
 * @param unchecked `{ id, input: { name?, quantity?, expectedVersion?, reason? }, idempotencyKey? }`
 * @throws {ServiceError} BAD_USER_INPUT, NOT_FOUND, VERSION_CONFLICT, IDEMPOTENCY_CONFLICT
 */
export async function updateStock(context: ChangeContext, unchecked: unknown): Promise<StockState> {
  const input = parseArguments(updateArguments, unchecked);
  const edit = updateWith(input.input, 'input.');
  return changeStock(context, { mutation: 'updateStock', input }, edit);
}

/**
 * Adds `delta` to the quantity of a stock.
 * @param unchecked `{ id, delta, reason?, expectedVersion?, idempotencyKey? }`
 * @throws {ServiceError} BAD_USER_INPUT if an argument is invalid or the new quantity would be outside its
 *   limits
 * @throws {ServiceError} NOT_FOUND, VERSION_CONFLICT, IDEMPOTENCY_CONFLICT
 */
export async function adjustStock(context: ChangeContext, unchecked: unknown): Promise<StockState> {
  const input = parseArguments(adjustArguments, unchecked);
  return changeStock(context, { mutation: 'adjustStock', input }, adjustBy(input, ''));
}

/**
 * Deletes a stock. Its row remains as a tombstone, so that a new stock with the same id continues its
 * version numbers and ledger.
 * @param unchecked `{ id, idempotencyKey? }`
 * @returns the stock's last state, with the version number of the deletion
 * @throws {ServiceError} BAD_USER_INPUT, NOT_FOUND, IDEMPOTENCY_CONFLICT
 */
export async function deleteStock(context: ChangeContext, unchecked: unknown): Promise<StockState> {
  const input = parseArguments(deleteArguments, unchecked);
  return changeStock(context, { mutation: 'deleteStock', input }, deletion);
}
