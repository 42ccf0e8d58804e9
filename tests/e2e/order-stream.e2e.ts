import { randomUUID } from 'node:crypto';
import type { LiveClient } from '@gudang/testing/clients/live-client';
import { createShopClient } from '@gudang/testing/clients/shop-client';
import { useSystem } from '@gudang/testing/system/use-system';
import { afterEach, beforeAll, expect, test } from 'vitest';

interface OrderChanged {
  readonly orderChanged: { readonly status: string };
}

const system = useSystem();
let shop: ReturnType<typeof createShopClient>;
beforeAll(() => {
  shop = createShopClient(system().graph);
});
afterEach(() => system().stock.kill('SIGCONT'));

const watch = (id: string): Promise<LiveClient<OrderChanged>> =>
  system().live<OrderChanged>({
    query: 'subscription ($id: ID!) { orderChanged(id: $id) { status } }',
    variables: { id },
  });
const statusesOf = (live: LiveClient<OrderChanged>) =>
  live.seen().map(({ orderChanged }) => orderChanged.status);

async function upstreams(): Promise<number> {
  const text = await (await fetch(`${system().gateway.url}/metrics`)).text();
  return Number(/^gateway_live_upstreams\{.*\} (\d+)/m.exec(text)?.[1]);
}

test('late subscribers share the upstream and start with the current state; all streams complete after the decision', async () => {
  const stock = await shop.addStock({ quantity: 1 });
  // The stock service is frozen, so the order stays PENDING until all clients have subscribed.
  system().stock.kill('SIGSTOP');
  const order = await shop.createOrder({ productId: stock.id, quantity: 1 });
  const clients: LiveClient<OrderChanged>[] = [];
  for (let count = 1; count <= 3; count += 1) {
    const live = await watch(order.id);
    clients.push(live);
    await live.waitFor(({ orderChanged }) => orderChanged.status === 'PENDING', {
      until: `client ${count} has the current state`,
    });
    expect(await upstreams()).toBe(1);
  }
  system().stock.kill('SIGCONT');
  for (const live of clients) {
    await live.ended();
    expect(statusesOf(live)).toEqual(['PENDING', 'CONFIRMED']);
    expect(live.completed()).toBe(true);
    expect(live.errors()).toEqual([]);
    await live.close();
  }
  expect(await upstreams()).toBe(0);

  const late = await watch(order.id);
  await late.ended();
  expect(statusesOf(late)).toEqual(['CONFIRMED']);
  expect(late.completed()).toBe(true);
  await late.close();
});

test('clients do not receive the same state again after a restart of the subgraph', async () => {
  const stock = await shop.addStock({ quantity: 1 });
  system().stock.kill('SIGSTOP');
  const order = await shop.createOrder({ productId: stock.id, quantity: 2 });
  const live = await watch(order.id);
  await live.waitFor(({ orderChanged }) => orderChanged.status === 'PENDING');
  const part = system().order;
  part.kill('SIGKILL');
  await part.exited;
  await part.restart();
  system().stock.kill('SIGCONT');
  await live.ended();
  expect(statusesOf(live)).toEqual(['PENDING', 'REJECTED']);
  expect(live.errors()).toEqual([]);
  await live.close();
});

test.each([
  ['an unknown order', randomUUID()],
  ['a malformed id', 'unknown'],
])('%s ends the streams of all its subscribers with NOT_FOUND', async (_what, id) => {
  const clients = await Promise.all([watch(id), watch(id)]);
  for (const live of clients) {
    await live.ended();
    expect(live.errors().map(({ extensions }) => extensions?.['code'])).toEqual(['NOT_FOUND']);
    expect(statusesOf(live)).toEqual([]);
    await live.close();
  }
  expect(await upstreams()).toBe(0);
});
