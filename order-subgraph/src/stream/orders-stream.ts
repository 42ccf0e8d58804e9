import type { ChangeFeed, Cursor } from '@gudang/change-feed';
import { decodeOrderChanged, type OrderChanged, type OrderState } from '@gudang/events';
import {
  type SnapshotMarker,
  type SnapshotRow,
  type StreamSource,
  watchChanges,
} from '@gudang/subgraph';
import { isVisible } from '../orders/order-visibility.ts';
import { MAY_HAVE_BEEN, type StoredOrders, type WatchedOrders } from './stored-orders.ts';
import { watchedKeys } from './watch-keys.ts';

export type OrderChangeKind =
  | 'CREATED'
  | 'CONFIRMED'
  | 'REJECTED'
  | 'CANCEL_REQUESTED'
  | 'CANCEL_REFUSED'
  | 'CANCELLED'
  | 'SNAPSHOT';

/** A change, in the form that a subscriber receives. */
export interface SentOrderChange {
  readonly kind: OrderChangeKind;
  /** The order after the change. */
  readonly order: OrderState;
  readonly cursor: string;
  readonly at: Date;
}

interface StreamOptions {
  /** The context of the subscription's operation. */
  readonly context: object;
  readonly stored: StoredOrders;
  readonly changeFeed: ChangeFeed;
  readonly watched: WatchedOrders;
  readonly after: Cursor | undefined;
  /** Maximum age of a cursor that needs a snapshot, in milliseconds. */
  readonly maxAgeMs: number;
  /** Announces snapshots, in order with the changes; to the gateway by default. */
  readonly announce?: (marker: SnapshotMarker) => void;
  /** Number of rows per page of a snapshot; 500 by default. */
  readonly page?: number;
}

/**
 * Yields the changes of orders, either new changes only or all changes after a cursor; see `watchChanges`.
 * A snapshot names the watched orders that changed since the cursor, not all of them.
 */
export function watchOrders(options: StreamOptions): AsyncGenerator<SentOrderChange, void> {
  const { context, changeFeed, after, announce, page } = options;
  return watchChanges({
    context,
    changeFeed,
    after,
    announce,
    page,
    source: createSource(options),
  });
}

function createSource({
  stored,
  watched,
  maxAgeMs,
}: Pick<StreamOptions, 'stored' | 'watched' | 'maxAgeMs'>): StreamSource<SentOrderChange> {
  const { visibility, productId, status } = watched;
  return {
    keys: watchedKeys(visibility, productId),
    isSmall: false,
    isComplete: () => false,
    maxAgeMs,
    read: async (scan, range) => {
      const { orders, next } = await stored.read(watched, scan, range);
      return { rows: orders.map(toSnapshotRow), next };
    },
    versionsSince: (since) => stored.versionsSince(watched, since),
    decode: ({ value }) => {
      const change = decodeOrderChanged(value);
      const { order, previousStatus } = change;
      if (!isVisible(visibility, order)) return undefined;
      if (productId !== undefined && order.productId !== productId) return undefined;
      if (status !== undefined && order.status !== status && previousStatus !== status) {
        return undefined;
      }
      return (cursor) => ({ kind: kindOf(change), order, cursor, at: order.changedAt });
    },
    decodeRow: ({ value }) => {
      const { order } = decodeOrderChanged(value);
      if (!isVisible(visibility, order)) return undefined;
      if (productId !== undefined && order.productId !== productId) return undefined;
      if (status !== undefined && MAY_HAVE_BEEN[status]?.includes(order.status) === false) {
        return undefined;
      }
      return (cursor) => ({ kind: 'SNAPSHOT', order, cursor, at: order.changedAt });
    },
  };
}

function toSnapshotRow({
  from,
  order,
}: {
  from: string;
  order: OrderState;
}): SnapshotRow<SentOrderChange> {
  const { id, version, changedAt } = order;
  return {
    id,
    from,
    stored: { id, version, changedAt },
    toEvent: (cursor) => ({ kind: 'SNAPSHOT', order, cursor, at: changedAt }),
  };
}

/** Returns the kind of a change. A change without a new status begins or ends a request to cancel. */
export function kindOf({ order, previousStatus }: OrderChanged): OrderChangeKind {
  if (previousStatus === null) return 'CREATED';
  if (order.status !== previousStatus && order.status !== 'PENDING') return order.status;
  return order.cancelRequestedAt === null ? 'CANCEL_REFUSED' : 'CANCEL_REQUESTED';
}
