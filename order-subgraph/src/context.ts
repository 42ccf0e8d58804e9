import { ANONYMOUS, type Identity } from '@gudang/auth';
import type { ChangeFeed, Cursor } from '@gudang/change-feed';
import type { OrderState, OrderStatus } from '@gudang/events';
import type { KeysetCursor, Page } from '@gudang/subgraph';
import DataLoader from 'dataloader';
import type { Database } from './database.ts';
import type { CancelOrder } from './orders/cancel-order.ts';
import type { CreateOrder } from './orders/create-order.ts';
import { findOrderPages, findOrders } from './orders/find-orders.ts';
import { type OrderVisibility, visibilityOf } from './orders/order-visibility.ts';

/** Reference to a stock, which is an entity of the stock subgraph. */
export interface StockReference {
  readonly id: string;
}

/** The context of one operation. */
export interface Context {
  readonly database: Database;
  readonly changeFeed: ChangeFeed;
  readonly createOrder: CreateOrder;
  readonly cancelOrder: CancelOrder;
  /** Maximum age of a cursor after which `ordersChanged` sends a snapshot, in milliseconds. */
  readonly snapshotAgeMs: number;
  /** The position of the change feed, taken before this operation reads any data. */
  readonly position: Cursor;
  /** The caller, as reported by the gateway. */
  readonly identity: Identity;
  /**
   * W3C traceparent to propagate: the traceparent of the operation's span, or of the operation's cause if
   * the operation is not traced.
   */
  traceparent?: string | undefined;
  /** The caller's subject; empty if authentication is disabled. */
  readonly owner: string;
  /** The orders that the caller may see. */
  readonly visibility: OrderVisibility;
  /**
   * Loads visible orders, with one statement for all ids that are requested in the same tick. The loader
   * does not cache orders, so a subscription reads the current state at each event.
   */
  readonly orderById: DataLoader<string, OrderState | undefined>;
  readonly ordersOfProduct: (
    page: Page<KeysetCursor>,
    status: OrderStatus | undefined,
  ) => DataLoader<string, OrderState[]>;
}

export type Parts = Pick<
  Context,
  'database' | 'changeFeed' | 'createOrder' | 'cancelOrder' | 'snapshotAgeMs'
>;

export function createContext(
  parts: Parts,
  identity: Identity = ANONYMOUS,
  traceparent?: string,
): Context {
  const { database, changeFeed } = parts;
  const visibility = visibilityOf(identity);
  const byPage = new Map<string, DataLoader<string, OrderState[]>>();
  return {
    ...parts,
    identity,
    traceparent,
    position: changeFeed.position(),
    owner: identity.subject ?? '',
    visibility,
    orderById: new DataLoader((ids) => findOrders(database, ids, visibility), { cache: false }),
    ordersOfProduct: (page, status) => {
      const key = JSON.stringify([page, status]);
      const existing = byPage.get(key);
      if (existing) return existing;
      const loader = new DataLoader<string, OrderState[]>(
        (productIds) => findOrderPages(database, productIds, page, { status, visibility }),
        { cache: false },
      );
      byPage.set(key, loader);
      return loader;
    },
  };
}
