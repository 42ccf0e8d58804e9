import { ANONYMOUS, type Identity } from '@gudang/auth';
import type { Feed } from '@gudang/change-feed';
import type { OrderState, OrderStatus } from '@gudang/events';
import type { KeysetCursor, Page } from '@gudang/subgraph';
import DataLoader from 'dataloader';
import type { Database } from './database.ts';
import type { CreateOrder } from './orders/create-order.ts';
import { findOrderPages, findOrders } from './orders/find-orders.ts';
import { type OrderVisibility, visibilityOf } from './orders/order-visibility.ts';

/** What the resolvers work with, made anew for each operation. */
export interface Context {
  readonly database: Database;
  readonly feed: Feed;
  readonly createOrder: CreateOrder;
  /** Who asks, as the gateway has proved it. */
  readonly identity: Identity;
  /** What caused the operation, or it itself once it is traced: W3C, for what comes of it. */
  traceparent?: string | undefined;
  /** The subject; empty where no one is told apart. */
  readonly owner: string;
  /** Whose orders are shown. */
  readonly seen: OrderVisibility;
  /**
   * Of the orders that are shown. Gathers the ids of one moment into one statement; keeps nothing,
   * so that streams see the newest.
   */
  readonly orderById: DataLoader<string, OrderState | undefined>;
  readonly ordersOfProduct: (
    page: Page<KeysetCursor>,
    status: OrderStatus | undefined,
  ) => DataLoader<string, OrderState[]>;
}

export type Parts = Pick<Context, 'database' | 'feed' | 'createOrder'>;

export function createContext(
  parts: Parts,
  identity: Identity = ANONYMOUS,
  traceparent?: string,
): Context {
  const { database } = parts;
  const seen = visibilityOf(identity);
  const byPage = new Map<string, DataLoader<string, OrderState[]>>();
  return {
    ...parts,
    identity,
    traceparent,
    owner: identity.subject ?? '',
    seen,
    orderById: new DataLoader((ids) => findOrders(database, ids, seen), { cache: false }),
    ordersOfProduct: (page, status) => {
      const key = JSON.stringify([page, status]);
      const known = byPage.get(key);
      if (known) return known;
      const loader = new DataLoader<string, OrderState[]>(
        (productIds) => findOrderPages(database, productIds, page, { status, seen }),
        { cache: false },
      );
      byPage.set(key, loader);
      return loader;
    },
  };
}
