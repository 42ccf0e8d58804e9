import { dataOf } from '@gudang/testing/clients/graph-client';
import { useSystem } from '@gudang/testing/system/use-system';
import { afterAll, expect, test } from 'vitest';
import { type StatementCounter, startStatementCounter } from './statement-counter.ts';

const counters: StatementCounter[] = [];
const system = useSystem({
  through: async ({ to }, address) => {
    if (to !== 'postgres') return address;
    const counter = await startStatementCounter(address);
    counters.push(counter);
    return counter.url;
  },
});
// Hooks run in reverse order of registration, so this hook runs after the system has stopped.
afterAll(() => Promise.all(counters.map((counter) => counter.stop())));

const QUERY = `{ orders(first: 100) { nodes { id stock { name orders(first: 5) { nodes { id } } } } } }`;

/** Inserts orders for `products` different products. The new orders are the newest ones. */
async function insert(orders: number, products: number): Promise<void> {
  const { databases } = system();
  await databases.stock(
    `INSERT INTO stocks (id, name, quantity) SELECT 'p' || n, 'Product ' || n, 10
     FROM generate_series(1, $1::int) AS n ON CONFLICT DO NOTHING`,
    [products],
  );
  await databases.order(
    `INSERT INTO orders (id, product_id, quantity, created_at)
     SELECT gen_random_uuid(), 'p' || (1 + n % $2::int), 1, clock_timestamp()
     FROM generate_series(1, $1::int) AS n`,
    [orders, products],
  );
}

/** Returns the number of requests that the gateway has sent so far, by subgraph. */
async function subgraphRequests(): Promise<Record<string, number>> {
  const text = await (await fetch(`${system().gateway.url}/metrics`)).text();
  const counts: Record<string, number> = {};
  const line = /^gateway_subgraph_request_seconds_count\{([^}]*)\} (\d+)$/gm;
  for (const [, labels = '', count] of text.matchAll(line)) {
    const subgraph = /subgraph="([^"]+)"/.exec(labels)?.[1] ?? '';
    counts[subgraph] = (counts[subgraph] ?? 0) + Number(count);
  }
  return counts;
}

/**
 * Runs one query and counts its subgraph requests and SQL statements. Only statements on `orders`,
 * `stocks` and `movements` count, except those of the reconciler, which also reads orders.
 */
async function cost() {
  await dataOf(system().graph(QUERY));
  const before = await subgraphRequests();
  for (const counter of counters) counter.take();
  const { orders } = await dataOf(system().graph(QUERY));
  const statements = counters
    .flatMap((counter) => counter.take())
    .filter((sql) => /\bFROM\s+\S*"?(orders|stocks|movements)"?\b/i.test(sql))
    .filter((sql) => !sql.includes('reconciliations'));
  const after = await subgraphRequests();
  return {
    orders: orders.nodes,
    statements: statements.length,
    requests: {
      order: (after['order'] ?? 0) - (before['order'] ?? 0),
      stock: (after['stock'] ?? 0) - (before['stock'] ?? 0),
    },
  };
}

test('the number of SQL statements and requests does not depend on the number of orders or products', async () => {
  await insert(10, 10);
  const few = await cost();
  await insert(100, 10);
  const many = await cost();
  await insert(100, 50);
  const spread = await cost();

  expect(few.orders).toHaveLength(10);
  expect(many.orders).toHaveLength(100);
  expect(spread.orders).toHaveLength(100);
  expect(
    new Set(spread.orders.map((order: { stock: { name: string } }) => order.stock.name)).size,
  ).toBe(50);
  for (const { stock } of many.orders) expect(stock.orders.nodes).toHaveLength(5);

  const { statements, requests } = few;
  expect(many).toMatchObject({ statements, requests });
  expect(spread).toMatchObject({ statements, requests });
  // One statement reads the orders, one reads their stocks, and one reads the orders of these stocks.
  expect(statements).toBe(3);
  expect(requests).toEqual({ order: 1, stock: 1 });
});
