import { onNextFrame } from '../frames.ts';
import type { StockChangedData } from '../operations.ts';
import type { OrderState } from '../orders/order-store.ts';
import type { StockState } from './stock-store.ts';

export type StockChange = StockChangedData['stockChanged'];

/**
 * The changes since the last frame. A batch is bounded: it has the newest state of each stock and
 * at most 100 orders.
 */
export interface ChangeBatch {
  readonly states: Map<string, StockState>;
  /** The newest confirmed and cancelled orders. */
  readonly orders: OrderState[];
  /** Number of changes, not counting snapshots. */
  count: number;
  /** Commit time of the newest change, in ms since 1970. */
  committedAt: number;
}

const MAX_ORDERS = 100;

export interface ChangeBatcher {
  /** Shows the change before the next frame. */
  readonly add: (change: StockChange) => void;
  /** Shows the changes so far at once. */
  readonly flush: () => void;
}

/** Collects changes and shows them once per frame. */
export function createChangeBatcher(show: (batch: ChangeBatch) => void): ChangeBatcher {
  let batch: ChangeBatch | undefined;
  const flush = (): void => {
    const full = batch;
    batch = undefined;
    if (full) show(full);
  };
  const flushSoon = onNextFrame(flush);
  return {
    add: (change) => {
      batch ??= emptyBatch();
      addChange(batch, change);
      flushSoon();
    },
    flush,
  };
}

function emptyBatch(): ChangeBatch {
  return { states: new Map(), orders: [], count: 0, committedAt: 0 };
}

function addChange(batch: ChangeBatch, change: StockChange): void {
  const { kind, stock, order, delta } = change;
  const at = Date.parse(change.at);
  const waiting = batch.states.get(stock.id);
  if (!waiting || waiting.version < stock.version) {
    batch.states.set(stock.id, { ...stock, isDeleted: kind === 'DELETED' });
  }
  if (kind === 'SNAPSHOT') return;
  batch.count += 1;
  batch.committedAt = Math.max(batch.committedAt, at);
  if (!order) return;
  // If a change has an order, this order is confirmed or cancelled, and the change contains what the
  // page shows of it.
  batch.orders.push({
    id: order.id,
    productId: stock.id,
    quantity: Math.abs(delta),
    status: kind === 'RETURNED' ? 'CANCELLED' : 'CONFIRMED',
    rejectionReason: null,
    createdAt: at,
    version: 0,
    isCancelling: false,
  });
  if (batch.orders.length > MAX_ORDERS) batch.orders.shift();
}
