import type { OrderState } from './order-store.ts';

const CAPACITY = 100;

/**
 * Orders that the page knows only from the change of a stock. If the graph requires tokens, such
 * orders may belong to any caller, so the page does not show them. One of them may be this page's
 * own order, whose stock change has arrived before the response of the mutation. At most the newest
 * 100 orders are kept.
 */
export function createUnattributedOrders() {
  const orders = new Map<string, OrderState>();
  return {
    add: (order: OrderState): void => {
      orders.set(order.id, order);
      for (const oldest of orders.keys()) {
        if (orders.size <= CAPACITY) break;
        orders.delete(oldest);
      }
    },
    /** Removes an order and returns it; undefined if the order is unknown. */
    take: (id: string): OrderState | undefined => {
      const order = orders.get(id);
      orders.delete(id);
      return order;
    },
  };
}
