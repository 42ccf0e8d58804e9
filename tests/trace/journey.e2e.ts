import { type JourneyReceiver, receiveJourneys } from '@gudang/embedded';
import { createShopClient } from '@gudang/testing/clients/shop-client';
import { eventually } from '@gudang/testing/eventually';
import { type System, startSystem } from '@gudang/testing/system/system';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { JSON_TYPE, json, sendRequest } from '../rest/rest-client.ts';
import { type SpanRelay, startSpanRelay } from './span-relay.ts';

interface Journey {
  readonly id: string;
  readonly at: string;
  readonly settled: boolean;
  readonly steps: readonly { readonly name: string; readonly from: number; readonly to: number }[];
}

const STEPS = ['accepted', 'stored', 'sent', 'decided', 'settled'];
const CLIENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

let receiver: JourneyReceiver;
let relay: SpanRelay;
let system: System;
let shop: ReturnType<typeof createShopClient>;
let productId: string;

beforeAll(async () => {
  receiver = await receiveJourneys();
  relay = await startSpanRelay(receiver.url);
  const settings = { JOURNEYS_URL: relay.url, JOURNEYS_OF: 'createOrder,POST /order/add-order' };
  system = await startSystem({
    postgresUrl: inject('postgresUrl'),
    kafkaBrokers: inject('kafkaBrokers'),
    environment: { all: settings },
  });
  shop = createShopClient(system.graph);
  ({ id: productId } = await shop.addStock({ quantity: 1_000 }));
});
afterAll(async () => {
  await system?.stop();
  await relay?.stop();
  await receiver?.stop();
});

async function journeys(): Promise<readonly Journey[]> {
  const answer = await fetch(`${system.gateway.url}/journeys`);
  return ((await answer.json()) as { journeys: readonly Journey[] }).journeys;
}

function journeyOf(id: string, isThere: (journey: Journey) => boolean): Promise<Journey> {
  return eventually(
    async () => (await journeys()).find((one) => one.id === id) as Journey,
    (journey) => journey !== undefined && isThere(journey),
    { until: 'the journey is there' },
  );
}

it('an order has a journey with all steps, on the fast path too', async () => {
  const live = await system.live({ query: 'subscription { ordersChanged { order { id } } }' });
  const before = Date.now();
  const ids: string[] = [];
  for (let n = 0; n < 3; n += 1) ids.push((await shop.createOrder({ productId, quantity: 1 })).id);
  for (const id of ids) {
    const { at, steps, settled } = await journeyOf(id, (journey) => journey.steps.length === 6);
    expect(Date.parse(at)).toBeGreaterThanOrEqual(before - 1);
    expect(steps.map(({ name }) => name)).toEqual([...STEPS, 'pushed']);
    expect(settled).toBe(true);
    for (const [index, { from, to }] of steps.entries()) {
      expect(from).toBe(steps[index - 1]?.to ?? 0);
      expect(to).toBeGreaterThanOrEqual(from);
    }
    expect(steps.at(-1)?.to).toBeLessThan(Date.now() - before + 2);
  }
  await live.close();
});

it('an order over REST has a journey, and no step that was not taken', async () => {
  const { body } = await sendRequest(system.order.url, {
    route: 'POST /order/add-order',
    body: json({ productid: productId, quantity: 1 }),
    headers: JSON_TYPE,
  });
  const { steps } = await journeyOf(body.Data.id, ({ settled }) => settled);
  expect(steps.map(({ name }) => name)).toEqual(STEPS);
});

it('only orders are traced, whatever the client asks for', async () => {
  const adjusted = `mutation { adjustStock(id: "${productId}", delta: 1) { id } }`;
  const stocks = '{ stocks { nodes { id } } }';
  for (const query of [adjusted, stocks]) await postTraced(system.gateway.url, query);
  const route = 'PUT /stock/update/kopi';
  await sendRequest(system.stock.url, { route, headers: { traceparent: CLIENT } });
  // The spans of an order after them have arrived, so theirs would have arrived, too.
  const { id } = await shop.createOrder({ productId, quantity: 1 });
  await journeyOf(id, ({ settled }) => settled);
  expect(relay.sent()).toContain(id);
  expect(relay.sent()).not.toContain(String(CLIENT.split('-')[1]));
});

it('a repeated request has no journey of its own', async () => {
  const input = { productId, quantity: 1, idempotencyKey: 'k' };
  const { id } = await shop.createOrder(input);
  await journeyOf(id, ({ settled }) => settled);
  const mentions = () => relay.sent().split(id).length - 1;
  const before = mentions();
  await system.databases.order(
    `UPDATE orders SET created_at = created_at - interval '1 hour' WHERE id = '${id}'`,
  );
  expect(await shop.createOrder(input)).toMatchObject({ id });
  const later = await shop.createOrder({ productId, quantity: 1 });
  await journeyOf(later.id, ({ settled }) => settled);
  expect(mentions()).toBe(before);
});

async function postTraced(url: string, query: string): Promise<void> {
  const headers = { 'content-type': 'application/json', traceparent: CLIENT };
  const body = JSON.stringify({ query });
  const answer = await fetch(`${url}/graphql`, { method: 'POST', headers, body });
  expect(await answer.json()).not.toHaveProperty('errors');
}

it.each(['is slow', 'is gone'])('orders do not wait for a receiver that %s', async (state) => {
  relay.hold();
  if (state === 'is gone') await relay.stop();
  const ids: string[] = [];
  for (let n = 0; n < 12; n += 1) ids.push((await shop.createOrder({ productId, quantity: 1 })).id);
  for (const id of ids) expect((await shop.decided(id)).status).toBe('CONFIRMED');
  await eventually(
    async () => (await fetch(`${system.gateway.url}/journeys`)).status,
    (status) => status === 503,
    { until: 'the gateway reports it' },
  );
});
