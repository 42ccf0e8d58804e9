import { createShopClient } from '@gudang/testing/clients/shop-client';
import { type QuietOperation, WAYS, type Way } from '@gudang/testing/clients/ways-to-leave';
import type { ServiceProcess } from '@gudang/testing/system/service-process';
import { useSystem } from '@gudang/testing/system/use-system';
import { afterEach, beforeAll, expect, test } from 'vitest';

const system = useSystem();
let shop: ReturnType<typeof createShopClient>;
beforeAll(() => {
  shop = createShopClient(system().graph);
});
afterEach(() => system().stock.kill('SIGCONT'));

/** Polls the number of subscriptions that a subgraph serves from its feed. */
async function expectWatchers({ url }: ServiceProcess, count: number): Promise<void> {
  const watchers = async (): Promise<number> => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return Number(/^gudang_feed_watchers(?:\{.*\})? (\d+)/m.exec(text)?.[1]);
  };
  await expect.poll(watchers, { timeout: 10_000 }).toBe(count);
}

test('a subgraph stops to watch a quiet stock or order as soon as its subscriber leaves', async () => {
  const stock = await shop.addStock({ quantity: 1 });
  const changes = await system().live({
    query: 'subscription ($ids: [ID!]) { stockChanged(ids: $ids) { kind } }',
    variables: { ids: [stock.id] },
  });
  await expectWatchers(system().stock, 1);
  await changes.close();
  await expectWatchers(system().stock, 0);

  // The stock service is frozen, so the order stays PENDING.
  system().stock.kill('SIGSTOP');
  const { id } = await shop.createOrder({ productId: stock.id, quantity: 1 });
  const order = await system().live({
    query: 'subscription ($id: ID!) { orderChanged(id: $id) { status } }',
    variables: { id },
  });
  await expectWatchers(system().order, 1);
  await order.close();
  await expectWatchers(system().order, 0);
});

const quietStocks = (count: number): QuietOperation[] =>
  Array.from({ length: count }, (_, index) => ({
    query: 'subscription ($ids: [ID!]) { stockChanged(ids: $ids) { kind } }',
    variables: { ids: [`quiet-${index}`] },
  }));

test.each(Object.entries(WAYS))(
  'a subgraph watches nothing after its subscribers have left by %s',
  async (name, way) => {
    const leave = await way(system().gateway.url, quietStocks(50));
    if (!name.includes('same turn')) await expectWatchers(system().stock, 50);
    await leave();
    await expectWatchers(system().stock, 0);
  },
);

test('a subgraph watches nothing after SIGKILL of the gateway', async () => {
  const way = WAYS['a close frame'] as Way;
  await way(system().gateway.url, quietStocks(50));
  await expectWatchers(system().stock, 50);
  await system().gateway.restart();
  await expectWatchers(system().stock, 0);
});

test('a stream of 1,000 ids of 95 characters runs, and disturbs no other stream', async () => {
  const stock = await shop.addStock({ quantity: 10 });
  const other = await system().live({
    query: 'subscription ($ids: [ID!]) { stockChanged(ids: $ids) { kind } }',
    variables: { ids: [stock.id] },
  });
  await expectWatchers(system().stock, 1);
  const ids = Array.from({ length: 999 }, (_, index) => `${index}`.padEnd(95, 'x'));
  const leaving = new AbortController();
  const response = await fetch(`${system().gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({
      query: 'subscription ($ids: [ID!]) { stockChanged(ids: $ids) { kind } }',
      variables: { ids: [...ids, stock.id] },
    }),
    signal: leaving.signal,
  });
  await expectWatchers(system().stock, 2);
  await shop.createOrder({ productId: stock.id, quantity: 1 });
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array);
    if (text.includes('event: next')) break;
  }
  expect(text).toContain('ORDERED');
  leaving.abort();
  await other.waitFor(() => true, { until: 'the other stream has received the change' });
  await other.close();
  expect(system().logs()).not.toContain('the live connection to a subgraph is lost');
});
