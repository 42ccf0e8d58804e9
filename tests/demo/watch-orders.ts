import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import type { DemoGraph } from './demo-graph.ts';
import type { Decided } from './figures.ts';

const CHANGED = `subscription ($id: ID!) {
  orderChanged(id: $id) { status stock { quantity } } }`;

export interface SentOrder {
  readonly id: string;
  readonly productId: string;
  /** Value of `performance.now()` immediately before the request. */
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
 * Subscribes to the streams of orders over one connection, and reconnects if the connection is lost. A
 * stream starts with the order's current state, so no decision is missed.
 * @param decided called after each decision, with the stock's current quantity if it could be read
 */
export function watchOrders(
  { url, authorization }: Pick<DemoGraph, 'url' | 'authorization'>,
  decided: (order: Decided, productId: string, quantityLeft: number | undefined) => void,
): OrderWatcher {
  const client = createClient({
    url: url.replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    connectionParams: () => ({ authorization: authorization() }),
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
