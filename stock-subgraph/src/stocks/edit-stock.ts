import { STOCK_QUANTITY, type StockState } from '@gudang/events';
import { badUserInput, notFound, ServiceError } from '@gudang/runtime';
import type { StockRow } from './lock-stocks.ts';
import type { Adjustment, Update } from './stock-arguments.ts';
import type { LedgerChange } from './write-changes.ts';

/** A change that a mutation makes to an existing stock. */
export type Edit = Pick<LedgerChange, 'kind' | 'delta' | 'note'> & {
  readonly stock: Pick<StockState, 'name' | 'quantity'>;
};

/** Computes a change from a stock's current state. @throws {ServiceError} if the change is not possible */
export type EditStock = (before: StockRow) => Edit;

/**
 * Returns a change that sets the name, the quantity or both.
 * @param at prefix of the arguments' paths in errors, such as `input.`
 */
export function updateWith(
  { name, quantity, expectedVersion, reason }: Update,
  at: string,
): EditStock {
  return (before) => {
    assertVersion(before, expectedVersion, at);
    const stock = { name: name ?? before.name, quantity: quantity ?? before.quantity };
    const delta = stock.quantity - before.quantity;
    return { stock, kind: 'UPDATED', delta, note: reason ?? undefined };
  };
}

/** Returns a change that adds `delta` to the quantity. @param at as in `updateWith` */
export function adjustBy({ delta, expectedVersion, reason }: Adjustment, at: string): EditStock {
  return (before) => {
    assertVersion(before, expectedVersion, at);
    const quantity = before.quantity + delta;
    if (quantity < STOCK_QUANTITY.min || quantity > STOCK_QUANTITY.max) {
      const [least, most] = [-before.quantity, STOCK_QUANTITY.max - before.quantity];
      const change = delta < 0 ? 'asked for' : 'added';
      throw badUserInput(
        `${at}delta`,
        `a whole number from ${grouped(least)} to ${grouped(most)}, except 0`,
        `is too ${delta < 0 ? 'low' : 'high'}: the stock holds ${grouped(before.quantity)}; ` +
          `you ${change} ${grouped(Math.abs(delta))}`,
      );
    }
    const note = reason ?? undefined;
    return { stock: { name: before.name, quantity }, kind: 'ADJUSTED', delta, note };
  };
}

const grouped = (count: number): string => count.toLocaleString('en-US');

/** A change that deletes a stock. */
export const deletion: EditStock = ({ name, quantity }) => ({
  stock: { name, quantity },
  kind: 'DELETED',
  delta: -quantity,
});

/**
 * Applies a change to a stock.
 * @param stocks the locked rows by id
 * @throws {ServiceError} NOT_FOUND if the stock does not exist or was deleted; the errors of the change
 */
export function editStock(
  { stocks, now }: { readonly stocks: ReadonlyMap<string, StockRow>; readonly now: Date },
  id: string,
  edit: EditStock,
): Omit<LedgerChange, 'traceparent'> {
  const before = stocks.get(id);
  if (before === undefined || before.deletedAt !== null) throw notFound('stock', id);
  const { stock, ...rest } = edit(before);
  const { version, createdAt } = before;
  const after = { id, ...stock, version: version + 1, createdAt, updatedAt: now };
  return { ...rest, stock: after, orderId: null };
}

function assertVersion(
  { version }: StockRow,
  expected: number | null | undefined,
  at: string,
): void {
  if (expected == null || expected === version) return;
  throw new ServiceError(
    'VERSION_CONFLICT',
    `The stock has version ${version}, not ${expected}: read it again`,
    { details: { argument: `${at}expectedVersion`, version } },
  );
}
