import { randomUUID } from 'node:crypto';
import type { LiveClient } from '@gudang/testing/clients/live-client';
import {
  type CancelledOrder,
  createShopClient,
  type ShownStock,
} from '@gudang/testing/clients/shop-client';
import { useSystem } from '@gudang/testing/system/use-system';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { JSON_TYPE, sendRequest } from '../rest/rest-client.ts';

type Shown = Pick<CancelledOrder, 'status' | 'version' | 'cancelRequestedAt'>;

const MAX_QUANTITY = 2_147_483_647;

const system = useSystem();
let shop: ReturnType<typeof createShopClient>;
beforeAll(() => {
  shop = createShopClient(system().graph);
});
afterEach(() => system().stock.kill('SIGCONT'));

const watch = (id: string): Promise<LiveClient<{ readonly orderChanged: Shown }>> =>
  system().live({
    query: `subscription ($id: ID!) {
      orderChanged(id: $id) { status version cancelRequestedAt } }`,
    variables: { id },
  });
/** The states that a stream has shown: status, version, and whether a cancellation waits. */
const statesOf = (live: LiveClient<{ readonly orderChanged: Shown }>) =>
  live
    .seen()
    .map(({ orderChanged: { status, version, cancelRequestedAt } }) =>
      [status, version, cancelRequestedAt === null ? '' : 'requested'].join(' ').trim(),
    );

async function confirmedOrder(quantity: number, inStock = 10): Promise<[ShownStock, string]> {
  const stock = await shop.addStock({ quantity: inStock });
  const { id } = await shop.createOrder({ productId: stock.id, quantity });
  expect(await shop.decided(id)).toMatchObject({ status: 'CONFIRMED' });
  return [stock, id];
}
const quantityOf = async ({ id }: ShownStock) => (await shop.stock(id))?.quantity;
const requestsOf = async (id: string): Promise<unknown[]> =>
  system().databases.order(
    `SELECT version FROM orders WHERE id = '${id}' AND cancel_requested_at IS NOT NULL`,
  );

describe('cancelOrder', () => {
  test('cancels a confirmed order and returns its quantity, and orderChanged ends afterwards', async () => {
    const [stock, id] = await confirmedOrder(4);
    expect(await quantityOf(stock)).toBe(6);
    // The stock service is frozen, so the request waits until the client has subscribed.
    system().stock.kill('SIGSTOP');
    expect(await shop.cancelOrder({ id, reason: 'Salah pesan' })).toMatchObject({
      status: 'CONFIRMED',
      version: 3,
      cancelRequestedAt: expect.any(String),
      cancelReason: 'Salah pesan',
      cancelledAt: null,
    });
    const live = await watch(id);
    await live.waitFor(({ orderChanged }) => orderChanged.version === 3);
    system().stock.kill('SIGCONT');
    await live.ended();
    expect(statesOf(live)).toEqual(['CONFIRMED 3 requested', 'CANCELLED 4 requested']);
    expect(live.completed()).toBe(true);
    await live.close();
    expect(await quantityOf(stock)).toBe(10);
    const { decidedAt, cancelledAt } = await shop.cancelDecided(id);
    expect(Date.parse(cancelledAt ?? '')).toBeGreaterThanOrEqual(Date.parse(decidedAt ?? ''));
  });

  test('cancels a pending order before it takes anything', async () => {
    const stock = await shop.addStock({ quantity: 10 });
    system().stock.kill('SIGSTOP');
    const { id } = await shop.createOrder({ productId: stock.id, quantity: 4 });
    const live = await watch(id);
    await live.waitFor(({ orderChanged }) => orderChanged.status === 'PENDING');
    await shop.cancelOrder({ id });
    await live.waitFor(({ orderChanged }) => orderChanged.cancelRequestedAt !== null);
    system().stock.kill('SIGCONT');
    await live.ended();
    // The stock service may read the order before its cancellation.
    expect(statesOf(live).slice(0, 2)).toEqual(['PENDING 1', 'PENDING 2 requested']);
    expect(statesOf(live).at(-1)).toMatch(/^CANCELLED [34] requested$/);
    await live.close();
    await expect.poll(() => quantityOf(stock)).toBe(10);
  });

  test('the stock service refuses a return above the largest quantity, and accepts a later request', async () => {
    const [stock, id] = await confirmedOrder(4);
    await shop.adjustStock(stock.id, MAX_QUANTITY - 6);
    system().stock.kill('SIGSTOP');
    await shop.cancelOrder({ id, reason: 'first' });
    const live = await watch(id);
    await live.waitFor(({ orderChanged }) => orderChanged.cancelRequestedAt !== null);
    system().stock.kill('SIGCONT');
    await live.ended();
    expect(statesOf(live)).toEqual(['CONFIRMED 3 requested', 'CONFIRMED 4']);
    await live.close();
    expect(await shop.cancelDecided(id)).toMatchObject({ status: 'CONFIRMED', cancelReason: null });
    expect(await quantityOf(stock)).toBe(MAX_QUANTITY);

    await shop.adjustStock(stock.id, -4);
    await shop.cancelOrder({ id, reason: 'second' });
    expect(await shop.cancelDecided(id)).toMatchObject({
      status: 'CANCELLED',
      version: 6,
      cancelReason: 'second',
    });
    expect(await quantityOf(stock)).toBe(MAX_QUANTITY);
  });

  test('a client that repeats a request after SIGKILL between commit and answer gets the first result', async () => {
    const [stock, id] = await confirmedOrder(4);
    system().stock.kill('SIGSTOP');
    const key = randomUUID();
    const part = system().order;
    const lost = sendRequest(part.url, {
      route: `POST /order/cancel/${id}`,
      headers: { ...JSON_TYPE, 'idempotency-key': key },
    }).catch(() => undefined);
    await expect.poll(() => requestsOf(id), { interval: 1 }).toHaveLength(1);
    part.kill('SIGKILL');
    await part.exited;
    await lost;
    await part.restart();
    await part.ready();
    expect(await shop.cancelOrder({ id, idempotencyKey: key })).toMatchObject({ version: 3 });
    system().stock.kill('SIGCONT');
    expect(await shop.cancelDecided(id)).toMatchObject({ status: 'CANCELLED', version: 4 });
    expect(await shop.cancelOrder({ id, idempotencyKey: key })).toMatchObject({
      status: 'CANCELLED',
      version: 4,
    });
    expect(await quantityOf(stock)).toBe(10);
  });

  test('returns the quantity once for 50 parallel requests to two replicas', async () => {
    const [stock, id] = await confirmedOrder(4);
    const replica = await system().add('order');
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        sendRequest(index % 2 === 0 ? system().order.url : replica.url, {
          route: `POST /order/cancel/${id}`,
          headers: { ...JSON_TYPE, 'idempotency-key': index % 5 === 0 ? 'one' : `k${index}` },
        }),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await shop.cancelDecided(id)).toMatchObject({ status: 'CANCELLED', version: 4 });
    expect(await quantityOf(stock)).toBe(10);
  });

  test('is UNAVAILABLE on a replica with CANCELLING=off, which accepts and settles orders', async () => {
    const [stock, id] = await confirmedOrder(4);
    const off = await system().add('order', { CANCELLING: 'off' });
    expect(await sendRequest(off.url, { route: `POST /order/cancel/${id}` })).toEqual({
      status: 500,
      body: {
        Message: 'Terjadi Kesalahan Pada Server',
        Error: expect.stringContaining('Orders cannot be cancelled at the moment'),
      },
    });
    expect(await requestsOf(id)).toEqual([]);
    await shop.cancelOrder({ id });
    expect(await shop.cancelDecided(id)).toMatchObject({ status: 'CANCELLED' });
    expect(await quantityOf(stock)).toBe(10);
  });
});
