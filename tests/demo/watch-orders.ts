import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import type { Decided } from './figures.ts';

const CHANGED = `subscription ($id: ID!) {
  orderChanged(id: $id) { status stock { quantity } } }`;

export interface SentOrder {
  readonly id: string;
  readonly productId: string;
  /** By performance.now(), before its request was sent. */
  readonly sentAt: number;
}

export interface OrderWatcher {
  readonly watch: (order: SentOrder) => void;
  readonly stop: () => Promise<void>;
}

interface Change {
  readonly orderChanged: {
    readonly status: 'PENDING' | Decided['status'];
    readonly stock: { readonly quantity: number } | null;
  } | null;
}

/**
 * Watches orders by their own streams, all over one connection, and comes back when it is lost: an
 * order's stream begins with its state, so nothing is missed.
 * @param decided gets what the stock holds after it, when it could be asked
 */
export function watchOrders(
  url: string,
  decided: (order: Decided, productId: string, quantityLeft: number | undefined) => void,
): OrderWatcher {
  const client = createClient({
    url: url.replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    lazy: false,
    onNonLazyError: () => {},
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    retryWait: () => new Promise((resolve) => setTimeout(resolve, 250)),
  });
  return {
    watch: ({ id, productId, sentAt }) => {
      let over = false;
      client.subscribe<Change>(
        { query: CHANGED, variables: { id } },
        {
          next: ({ data }) => {
            const order = data?.orderChanged;
            if (over || !order || order.status === 'PENDING') return;
            over = true;
            const tookMs = performance.now() - sentAt;
            decided({ status: order.status, tookMs }, productId, order.stock?.quantity);
          },
          error: () => {},
          complete: () => {},
        },
      );
    },
    stop: async () => client.dispose(),
  };
}
