import type { StockState } from '@gudang/events';
import { STOCK_QUANTITY } from '@gudang/events';
import { badUserInput, notFound, ServiceError } from '@gudang/runtime';
import { parseArguments, textOf, wholeNumber } from '@gudang/subgraph';
import { z } from 'zod';
import { type ChangeContext, stockId, stockName, stockQuantity } from './add-stock.ts';
import { lockStocks, type StockRow } from './lock-stocks.ts';
import { type LedgerChange, writeChanges } from './write-changes.ts';

/**
 * Changes one stock while its row is locked.
 * @param change returns the change to make to the current state, or throws an error
 * @throws {ServiceError} NOT_FOUND if the stock does not exist or was deleted
 */
async function changeStock(
  { database, traceparent, notifyRelay }: ChangeContext,
  id: string,
  change: (stock: StockRow) => Omit<LedgerChange, 'orderId' | 'stock'> & {
    readonly stock: Pick<StockState, 'name' | 'quantity'>;
  },
): Promise<StockState> {
  const changed = await database.transaction(async (transaction) => {
    const { stocks, now } = await lockStocks(transaction, [id]);
    const before = stocks.get(id);
    if (before === undefined || before.deletedAt !== null) throw notFound('stock', id);
    const { stock, ...rest } = change(before);
    const after: StockState = {
      id,
      name: stock.name,
      quantity: stock.quantity,
      version: before.version + 1,
      createdAt: before.createdAt,
      updatedAt: now,
    };
    await writeChanges(transaction, [{ ...rest, stock: after, orderId: null, traceparent }]);
    return after;
  });
  notifyRelay?.();
  return changed;
}

const updateArguments = z.object({
  id: stockId,
  input: z.object({
    name: stockName,
    quantity: stockQuantity,
    expectedVersion: wholeNumber({ min: 1, max: STOCK_QUANTITY.max }).nullish(),
  }),
});

/**
 * Sets the name and the quantity of a stock.
 * @throws {ServiceError} BAD_USER_INPUT, NOT_FOUND, VERSION_CONFLICT
 */
export function updateStock(context: ChangeContext, unchecked: unknown): Promise<StockState> {
  const { id, input } = parseArguments(updateArguments, unchecked);
  const { name, quantity, expectedVersion } = input;
  return changeStock(context, id, (stock) => {
    if (expectedVersion != null && expectedVersion !== stock.version) {
      throw new ServiceError(
        'VERSION_CONFLICT',
        `The stock has version ${stock.version}, not ${expectedVersion}: read it again`,
        { details: { argument: 'input.expectedVersion', version: stock.version } },
      );
    }
    return { stock: { name, quantity }, kind: 'UPDATED', delta: quantity - stock.quantity };
  });
}

const adjustArguments = z.object({
  id: stockId,
  delta: wholeNumber({ min: -STOCK_QUANTITY.max, max: STOCK_QUANTITY.max }).refine(
    (delta) => delta !== 0,
    'other than 0',
  ),
  reason: textOf({ min: 1, max: 255 }).nullish(),
});

/**
 * Adds `delta` to the quantity of a stock.
 * @throws {ServiceError} BAD_USER_INPUT if an argument is invalid or the new quantity would be outside its
 *   limits
 * @throws {ServiceError} NOT_FOUND if the stock does not exist or was deleted
 */
export function adjustStock(context: ChangeContext, unchecked: unknown): Promise<StockState> {
  const { id, delta, reason } = parseArguments(adjustArguments, unchecked);
  return changeStock(context, id, (stock) => {
    const quantity = stock.quantity + delta;
    if (quantity < STOCK_QUANTITY.min || quantity > STOCK_QUANTITY.max) {
      throw badUserInput(
        'delta',
        `from ${-stock.quantity} to ${STOCK_QUANTITY.max - stock.quantity}: ` +
          `the stock holds ${stock.quantity}`,
      );
    }
    const note = reason ?? undefined;
    return { stock: { name: stock.name, quantity }, kind: 'ADJUSTED', delta, note };
  });
}

/**
 * Deletes a stock. Its row remains as a tombstone, so that a new stock with the same id continues its
 * version numbers and ledger.
 * @returns the stock's last state, with the version number of the deletion
 * @throws {ServiceError} BAD_USER_INPUT, NOT_FOUND
 */
export function deleteStock(context: ChangeContext, unchecked: unknown): Promise<StockState> {
  const { id } = parseArguments(z.object({ id: stockId }), unchecked);
  return changeStock(context, id, (stock) => ({
    stock: { name: stock.name, quantity: stock.quantity },
    kind: 'DELETED',
    delta: -stock.quantity,
  }));
}
