import type { OrderState } from './order-store.ts';

/** The newest so many are kept. */
const KEPT = 100;

/**
 * Orders that a stock's change has told of and the graph has not named as of whoever looks: where it asks for a token,
 * they may be anybody's, and are not shown. One may turn out to be this page's own, whose answer is under way.
 */
export function createUnnamedOrders() {
  const orders = new Map<string, OrderState>();
  return {
    add: (order: OrderState): void => {
      orders.set(order.id, order);
      for (const oldest of orders.keys()) {
        if (orders.size <= KEPT) break;
        orders.delete(oldest);
      }
    },
    /** The order, which is not kept any longer; undefined when there is none. */
    take: (id: string): OrderState | undefined => {
      const order = orders.get(id);
      orders.delete(id);
      return order;
    },
  };
}
