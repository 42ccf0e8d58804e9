import { encodeStockChanged, STOCK_CHANGED, type StockChanged } from '@gudang/events';
import { writeEvents } from '@gudang/outbox';
import type { Transaction } from '../database.ts';

/** A change, with additional fields for its ledger entry and its event. */
export interface LedgerChange extends StockChanged {
  /** The `reason` argument of a mutation. */
  readonly note?: string | undefined;
  /** The subject that made the change by a mutation. */
  readonly by?: string | undefined;
  /**
   * W3C traceparent for the event. If an order caused the change, the traceparent of the order is used
   * instead.
   */
  readonly traceparent?: string | undefined;
}

/** W3C traceparents for the events of changes that orders caused, by order id. */
type OrderTraces = ReadonlyMap<string, string | undefined>;

/**
 * Writes the ledger entries and events of changes in two statements, regardless of the number of changes.
 * The stock rows must already be written.
 */
export async function writeLedger(
  transaction: Transaction,
  changes: readonly LedgerChange[],
  traces: OrderTraces = new Map(),
): Promise<void> {
  if (changes.length === 0) return;
  await transaction.$executeRaw`
    INSERT INTO movements (stock_id, version, kind, delta, quantity_after, reason, "by", order_id, at)
    SELECT stock_id, version, kind::stock_change_kind, delta, quantity_after, reason, "by", order_id, at
    FROM unnest(
      ${changes.map(({ stock }) => stock.id)}::text[],
      ${changes.map(({ stock }) => stock.version)}::int[],
      ${changes.map(({ kind }) => kind)}::text[],
      ${changes.map(({ delta }) => delta)}::int[],
      ${changes.map(quantityAfter)}::int[],
      ${changes.map(({ note }) => note ?? null)}::text[],
      ${changes.map(({ by }) => by ?? null)}::text[],
      ${changes.map(({ orderId }) => orderId)}::uuid[],
      ${changes.map(({ stock }) => stock.updatedAt)}::timestamptz[]
    ) AS change (stock_id, version, kind, delta, quantity_after, reason, "by", order_id, at)`;
  await writeEvents(
    transaction,
    changes.map((change) => ({
      topic: STOCK_CHANGED,
      key: change.stock.id,
      value: encodeStockChanged(change),
      version: change.stock.version,
      traceparent: change.orderId === null ? change.traceparent : traces.get(change.orderId),
    })),
  );
}

/**
 * Returns the quantity to store. It is 0 for a deleted stock, although the event of the deletion contains
 * the last quantity.
 */
function quantityAfter({ kind, stock }: Pick<StockChanged, 'kind' | 'stock'>): number {
  return kind === 'DELETED' ? 0 : stock.quantity;
}

/** Writes the last state of each changed stock, then the ledger entries and events of all changes. */
export async function writeChanges(
  transaction: Transaction,
  changes: readonly LedgerChange[],
  traces: OrderTraces = new Map(),
): Promise<void> {
  await writeStocks(transaction, changes);
  await writeLedger(transaction, changes, traces);
}

/** Writes the last state of each changed stock to its row, in one statement. */
export async function writeStocks(
  transaction: Transaction,
  changes: readonly Pick<LedgerChange, 'kind' | 'stock'>[],
): Promise<void> {
  if (changes.length === 0) return;
  const last = [...new Map(changes.map((change) => [change.stock.id, change])).values()];
  await transaction.$executeRaw`
    UPDATE stocks SET
      name = change.name, quantity = change.quantity, version = change.version,
      created_at = change.created_at, updated_at = change.updated_at,
      deleted_at = CASE WHEN change.deleted THEN change.updated_at END
    FROM unnest(
      ${last.map(({ stock }) => stock.id)}::text[],
      ${last.map(({ stock }) => stock.name)}::text[],
      ${last.map(quantityAfter)}::int[],
      ${last.map(({ stock }) => stock.version)}::int[],
      ${last.map(({ stock }) => stock.createdAt)}::timestamptz[],
      ${last.map(({ stock }) => stock.updatedAt)}::timestamptz[],
      ${last.map(({ kind }) => kind === 'DELETED')}::boolean[]
    ) AS change (id, name, quantity, version, created_at, updated_at, deleted)
    WHERE stocks.id = change.id`;
}
