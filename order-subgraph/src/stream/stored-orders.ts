import type { SnapshotScan } from '@gudang/change-feed';
import type { OrderState, OrderStatus } from '@gudang/events';
import type { RowVersion } from '@gudang/subgraph';
import type { Database } from '../database.ts';
import {
  type ChangedOrdersPage,
  findChangedOrders,
  findOrderVersions,
  type OrderPosition,
} from '../orders/find-changed-orders.ts';
import type { OrderVisibility } from '../orders/order-visibility.ts';

/** The orders that a stream sends. */
export interface WatchedOrders {
  readonly visibility: OrderVisibility;
  readonly productId?: string | undefined;
  /** Sends the changes of orders that have this status before or after the change. */
  readonly status?: OrderStatus | undefined;
}

/** The stored state that a stream sends in its snapshots. */
export interface StoredOrders {
  /** Reads the next rows of a snapshot, in the order of their last changes. */
  readonly read: (
    watched: WatchedOrders,
    scan: SnapshotScan,
    range: { readonly until: number; readonly limit: number },
  ) => Promise<{
    readonly orders: readonly { readonly from: string; readonly order: OrderState }[];
    readonly next: string | undefined;
  }>;
  /** Reads the versions of the orders that changed since a time; undefined if there are too many. */
  readonly versionsSince: (
    watched: WatchedOrders,
    since: Date,
  ) => Promise<readonly RowVersion[] | undefined>;
}

/** The statuses that an order has now, if it may have had a status since it was created. */
export const MAY_HAVE_BEEN: Readonly<Record<OrderStatus, readonly OrderStatus[] | undefined>> = {
  PENDING: undefined,
  CONFIRMED: ['CONFIRMED', 'CANCELLED'],
  REJECTED: ['REJECTED'],
  CANCELLED: ['CANCELLED'],
};

export function createStoredOrders(database: Database): StoredOrders {
  return {
    read: async ({ visibility, productId, status }, { since, from }, { until, limit }) => {
      // A client that shows the orders of a status must also learn which of them left it.
      const statuses = status && MAY_HAVE_BEEN[status];
      const found: ChangedOrdersPage = await findChangedOrders(database, {
        filter: { visibility, productId, statuses },
        since: new Date(since),
        until: new Date(until),
        from: from === undefined ? undefined : parseFrom(from),
        limit,
      });
      return {
        orders: found.orders.map((order) => ({
          order,
          from: formatFrom({ changedAt: order.changedAt, id: order.id }),
        })),
        next: found.next && formatFrom(found.next),
      };
    },
    versionsSince: ({ visibility, productId }, since) =>
      findOrderVersions(database, { visibility, productId }, since),
  };
}

function formatFrom({ changedAt, id }: OrderPosition): string {
  return `${changedAt.getTime().toString(36)}.${id}`;
}

/** Parses the position in a cursor of a client. A forged one continues at the beginning. */
function parseFrom(from: string): OrderPosition | undefined {
  const [, time, id] =
    /^([0-9a-z]{1,8})\.([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})$/.exec(from) ?? [];
  if (time === undefined || id === undefined) return undefined;
  return { changedAt: new Date(Number.parseInt(time, 36)), id };
}
