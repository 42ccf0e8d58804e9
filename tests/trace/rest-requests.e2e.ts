import { randomBytes } from 'node:crypto';
import { type System, startSystem } from '@gudang/testing/system/system';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { JSON_TYPE, json, type RestRequest, sendRequest } from '../rest/rest-client.ts';
import { type CollectedSpan, startCollector } from './collector.ts';

let collector: Awaited<ReturnType<typeof startCollector>>;
let system: System;
let kopi: string;

beforeAll(async () => {
  collector = await startCollector();
  system = await startSystem({
    postgresUrl: inject('postgresUrl'),
    kafkaBrokers: inject('kafkaBrokers'),
    environment: {
      all: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, OTEL_BSP_SCHEDULE_DELAY: '100' },
    },
  });
  const body = json({ name: 'Kopi', quantity: 5 });
  const added = await sendRequest(system.stock.url, { route: 'POST /stock/add-stock', body });
  kopi = added.body.Data.id;
});
afterAll(async () => {
  await system?.stop();
  await collector?.stop();
});

/** Sends a request that is traced. Waits until the trace has each expected span with its parent. */
async function traced(
  service: 'order' | 'stock',
  asked: RestRequest,
  expectedSpans: readonly (readonly [name: string, cause: string | undefined])[],
): Promise<Readonly<Record<string, string>> | undefined> {
  const traceId = randomBytes(16).toString('hex');
  const caller = randomBytes(8).toString('hex');
  const headers = { ...asked.headers, traceparent: `00-${traceId}-${caller}-01` };
  await sendRequest(system[service].url, { ...asked, headers });
  const trace = () => collector.spans.filter((span) => span.traceId === traceId);
  const isThere = ([name, cause]: (typeof expectedSpans)[number]): boolean =>
    trace().some((span) => span.name === name && causeOf(span, trace()) === cause);
  await expect
    .poll(() => expectedSpans.filter((one) => !isThere(one)), {
      message: 'all spans of the request have arrived',
    })
    .toHaveLength(0);
  const [first] = trace().filter(({ parentSpanId }) => parentSpanId === caller);
  return first?.attributes;
}

const causeOf = ({ parentSpanId }: CollectedSpan, trace: readonly CollectedSpan[]) =>
  trace.find(({ spanId }) => spanId === parentSpanId)?.name;

const CHANGE = json({ name: 'Kopi', quantity: 6 });
const spansOfChange = (name: string) =>
  [
    [name, undefined],
    ['outbox stock_changed', name],
    ['feed stock_changed', 'outbox stock_changed'],
  ] as const;

it('an order over REST starts a trace', async () => {
  const name = 'POST /order/add-order';
  const body = json({ productid: kopi, quantity: 1 });
  const asked = { route: name, body, headers: JSON_TYPE };
  const { 'http.response.status_code': status } =
    (await traced('order', asked, [
      [name, undefined],
      ['outbox order_created', name],
      ['consume order_created', 'outbox order_created'],
      ['consume order_decided', 'outbox order_decided'],
      ['feed stock_changed', 'outbox stock_changed'],
    ])) ?? {};
  expect(status).toBe('201');
});

it.each([
  ['POST /stock/add-stock', 'POST /stock/add-stock'],
  ['PUT /stock/update/:id', 'PUT /stock/update/KOPI'],
  ['DELETE /stock/delete/:id', 'DELETE /stock/delete/KOPI'],
])('%s starts a trace that contains the event of the change', async (name, route) => {
  const asked = { route: route.replace('KOPI', kopi), body: CHANGE, headers: JSON_TYPE };
  const attributes = await traced('stock', asked, spansOfChange(name));
  expect(attributes?.['http.response.status_code']).toBe('200');
});

it.each([
  ['order', 'GET /order', 'GET /order', '200'],
  ['stock', 'GET /stock', 'GET /stock/', '200'],
  ['stock', 'GET /stock/:id', 'GET /stock/unknown', '404'],
  ['stock', 'GET /stock/*', 'GET /stock/there/is/none', '404'],
] as const)(
  '%s creates the span %s for %s with status %s',
  async (service, name, route, status) => {
    const attributes = await traced(service, { route }, [[name, undefined]]);
    expect(attributes?.['http.response.status_code']).toBe(status);
  },
);
