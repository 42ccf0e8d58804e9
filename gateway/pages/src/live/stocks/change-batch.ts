import type { StockChangedData } from '../operations.ts';
import type { OrderState } from '../orders/order-store.ts';
import type { StockState } from './stock-store.ts';

type StockChange = StockChangedData['stockChanged'];

/** What came since the last frame: of each stock the newest state, so that it stays bounded. */
export interface ChangeBatch {
  readonly states: Map<string, StockState>;
  /** Orders that were confirmed, the newest ones. */
  readonly orders: OrderState[];
  /** How many changes came. */
  count: number;
  /** When the newest of them was committed, in ms since 1970. */
  committedAt: number;
}

const ORDERS_KEPT = 100;

export function emptyBatch(): ChangeBatch {
  return { states: new Map(), orders: [], count: 0, committedAt: 0 };
}

export function addChange(batch: ChangeBatch, change: StockChange): void {
  const { kind, stock, order, delta } = change;
  const at = Date.parse(change.at);
  const pending = batch.states.get(stock.id);
  if (!pending || pending.version < stock.version) {
    batch.states.set(stock.id, { ...stock, gone: kind === 'DELETED' });
  }
  if (kind === 'SNAPSHOT') return;
  batch.count += 1;
  batch.committedAt = Math.max(batch.committedAt, at);
  if (!order) return;
  // A confirmed order in full: nothing else takes from a stock in this way.
  batch.orders.push({
    id: order.id,
    productId: stock.id,
    quantity: -delta,
    status: 'CONFIRMED',
    rejectionReason: null,
    createdAt: at,
  });
  if (batch.orders.length > ORDERS_KEPT) batch.orders.shift();
}
