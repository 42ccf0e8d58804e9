import { dataOf, type Graph } from '@gudang/testing/clients/graph-client';
import { startLiveClient } from '@gudang/testing/clients/live-client';
import { startOrderLoop } from '@gudang/testing/clients/order-loop';
import { createShopClient } from '@gudang/testing/clients/shop-client';
import { eventually } from '@gudang/testing/eventually';
import { expect } from 'vitest';

const SUBSCRIPTION = `subscription ($ids: [ID!], $after: String) {
  stockChanged(ids: $ids, after: $after) { kind cursor stock { id quantity version } } }`;

interface Change {
  readonly stockChanged: {
    readonly kind: string;
    readonly cursor: string;
    readonly stock: { readonly quantity: number; readonly version: number };
  };
}

interface OrderPage {
  readonly orders: {
    readonly nodes: readonly { readonly status: string }[];
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  };
}

const STOCKED = 1_000_000;

/** Adds a stock, subscribes to it at the gateway, and starts a loop that sends orders for it. */
export async function startWatchedOrders(graph: Graph, gatewayUrl: () => string) {
  const shop = createShopClient(graph);
  const after = await shop.stockCursor();
  const stock = await shop.addStock({ quantity: STOCKED });
  const ids = [stock.id];
  const watch = await startLiveClient<Change>({
    url: () => `${gatewayUrl()}/graphql`,
    query: SUBSCRIPTION,
    variables: { ids, after },
    resume: (last) => ({ ids, after: last?.stockChanged.cursor ?? after }),
  });
  const loop = startOrderLoop({ graph, productId: stock.id });

  /** Counts the orders of the loop by status. */
  const countByStatus = async (): Promise<Record<string, number>> => {
    const counts: Record<string, number> = {};
    for (let after: string | null = null; ; ) {
      const { orders }: OrderPage = await dataOf(
        graph<OrderPage>(
          `query ($productId: ID!, $after: String) {
            orders(productId: $productId, first: 100, after: $after) {
              nodes { status } pageInfo { hasNextPage endCursor } } }`,
          { productId: stock.id, after },
        ),
      );
      for (const { status } of orders.nodes) counts[status] = (counts[status] ?? 0) + 1;
      if (!orders.pageInfo.hasNextPage) return counts;
      after = orders.pageInfo.endCursor;
    }
  };

  return {
    loop,
    watch,
    /**
     * Resolves once new orders are acknowledged, the newest of them is decided, and the subscriber has
     * received the decision.
     */
    flows: async (within: number): Promise<void> => {
      const before = loop.acknowledged.length;
      await eventually(
        () => loop.acknowledged.length - before,
        (count) => count >= 5,
        { until: 'orders are acknowledged', within },
      );
      const isDecided = ({ status }: { status: string } = { status: '' }) => status === 'CONFIRMED';
      const newest = loop.acknowledged.at(-1) ?? '';
      await eventually(
        async () => (await shop.order(newest)) ?? undefined,
        (order) => isDecided(order),
        { until: 'a new order is decided', within },
      );
      const { quantity = 0 } = (await shop.stock(stock.id)) ?? {};
      await watch.waitFor(({ stockChanged }) => stockChanged.stock.quantity <= quantity, {
        until: `the subscriber receives quantity ${quantity} or less`,
        within,
      });
    },
    /**
     * Stops the loop. Asserts that all orders are decided, the quantity is correct, and the subscriber
     * has received the last state.
     */
    settle: async (within: number): Promise<void> => {
      await loop.stop();
      const counts = await eventually(countByStatus, ({ PENDING = 0 }) => PENDING === 0, {
        until: 'all orders are decided',
        within,
        every: 100,
      });
      // The loop retries orders after a lost response. Each order has an idempotency key, so no order was
      // created twice.
      expect(counts).toEqual({ CONFIRMED: new Set(loop.acknowledged).size });
      const quantity = STOCKED - loop.acknowledged.length;
      expect(await shop.stock(stock.id)).toMatchObject({ quantity });
      await watch.waitFor(({ stockChanged }) => stockChanged.stock.quantity === quantity, {
        until: 'the subscriber receives the last quantity',
        within,
      });
      const versions = watch.seen().map(({ stockChanged }) => stockChanged.stock.version);
      const back = versions.flatMap((version, i) => {
        const before = versions[i - 1] ?? 0;
        return version < before ? [`${before} → ${version}`] : [];
      });
      expect(back, 'versions that went back').toEqual([]);
      expect(watch.errors()).toEqual([]);
      await watch.close();
    },
  };
}
