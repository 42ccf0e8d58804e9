import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { eventually } from '../system/eventually.ts';
import { dataOf } from '../system/graph-client.ts';
import { type System, startSystem } from '../system/system.ts';
import { type CollectedSpan, startCollector } from './collector.ts';

let collector: Awaited<ReturnType<typeof startCollector>>;
let system: System;

beforeAll(async () => {
  collector = await startCollector();
  system = await startSystem({
    postgresUrl: inject('postgresUrl'),
    kafkaBrokers: inject('kafkaBrokers'),
    environment: {
      all: {
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
        OTEL_BSP_SCHEDULE_DELAY: '100',
        LOG_LEVEL: 'debug',
      },
    },
  });
});
afterAll(async () => {
  await system?.stop();
  await collector?.stop();
});

/** What an order goes through, each with what caused it. */
const ROAD: readonly (readonly [service: string, name: string, cause: string | undefined])[] = [
  ['gateway', 'graphql', undefined],
  ['gateway', 'request order', 'gateway graphql'],
  ['order-subgraph', 'graphql', 'gateway request order'],
  ['order-subgraph', 'outbox order_created', 'order-subgraph graphql'],
  ['stock-subgraph', 'consume order_created', 'order-subgraph outbox order_created'],
  ['stock-subgraph', 'outbox order_decided', 'stock-subgraph consume order_created'],
  ['stock-subgraph', 'outbox stock_changed', 'stock-subgraph consume order_created'],
  ['stock-subgraph', 'feed stock_changed', 'stock-subgraph outbox stock_changed'],
  ['gateway', 'push stock', 'stock-subgraph feed stock_changed'],
  ['order-subgraph', 'consume order_decided', 'stock-subgraph outbox order_decided'],
  ['order-subgraph', 'outbox order_changed', 'order-subgraph consume order_decided'],
  ['order-subgraph', 'feed order_changed', 'order-subgraph outbox order_changed'],
  ['gateway', 'push order', 'order-subgraph feed order_changed'],
];

const nameOf = ({ service, name }: CollectedSpan): string => `${service} ${name}`;

it('one trace leads from createOrder to the pushes of both its changes', async () => {
  await dataOf(
    system.graph('mutation { addStock(input: { id: "kopi", name: "Kopi", quantity: 5 }) { id } }'),
  );
  const stocks = await system.live({
    query: 'subscription { stockChanged(ids: ["kopi"]) { kind } }',
  });
  await eventually(
    () => dataOf(system.graph('mutation { adjustStock(id: "kopi", delta: 1) { id } }')),
    () => stocks.events.length > 0,
    { until: 'the stream of the stock runs' },
  );
  // Held, so that the order is still PENDING when its stream begins.
  system.stock.kill('SIGSTOP');
  const { createOrder } = await dataOf(
    system.graph('mutation { createOrder(input: { productId: "kopi", quantity: 2 }) { id } }'),
  );
  const orders = await system.live({
    query: `subscription { orderChanged(id: "${createOrder.id}") { status } }`,
  });
  await orders.waitFor(({ orderChanged }) => orderChanged.status === 'PENDING');
  system.stock.kill('SIGCONT');

  const trace = await eventually(
    () => {
      const { traceId } = collector.spans.find(
        ({ attributes }) => attributes['graphql.field'] === 'createOrder',
      ) ?? { traceId: '' };
      return collector.spans.filter((span) => span.traceId === traceId);
    },
    (spans) => ROAD.every(([service, name]) => spans.map(nameOf).includes(`${service} ${name}`)),
    { until: 'all spans of the order have come', within: 20_000 },
  );
  for (const [service, name, cause] of ROAD) {
    const causes = trace
      .filter((span) => nameOf(span) === `${service} ${name}`)
      .map(({ parentSpanId }) => trace.find(({ spanId }) => spanId === parentSpanId))
      .map((parent) => parent && nameOf(parent));
    expect(causes, `${service} ${name}`).toContain(cause);
  }
  const consumed = trace.filter(({ name }) => name.startsWith('consume '));
  for (const { attributes } of consumed) {
    expect(attributes['gudang.order_id']).toBe(createOrder.id);
  }
  const [{ traceId }] = trace as [CollectedSpan];
  for (const part of [system.order, system.stock]) {
    expect(part.output()).toContain(`"orderId":"${createOrder.id}","trace_id":"${traceId}"`);
  }
  expect(system.order.output()).toMatch(
    new RegExp(`"orderId":"${createOrder.id}","trace_id":"${traceId}","msg":"taken"`),
  );
  await Promise.all([stocks.close(), orders.close()]);
});
