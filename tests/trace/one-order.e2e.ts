import { dataOf } from '@gudang/testing/clients/graph-client';
import { eventually } from '@gudang/testing/eventually';
import { type System, startSystem } from '@gudang/testing/system/system';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type CollectedSpan, startCollector } from './collector.ts';
import { traceOneOrder } from './traced-order.ts';

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

it('the trace of an order contains the mutation and the pushes of both changes', async () => {
  await dataOf(
    system.graph('mutation { addStock(input: { id: "kopi", name: "Kopi", quantity: 5 }) { id } }'),
  );
  const stocks = await system.live({
    query: 'subscription { stockChanged(ids: ["kopi"]) { kind } }',
  });
  await eventually(
    () => dataOf(system.graph('mutation { adjustStock(id: "kopi", delta: 1) { id } }')),
    () => stocks.events.length > 0,
    { until: 'the stream of the stock is running' },
  );
  const { orderId, trace } = await traceOneOrder({
    url: system.gateway.url,
    productId: 'kopi',
    stocks: system.stocks,
    spans: collector.spans,
  });
  const consumed = trace.filter(({ name }) => name.startsWith('consume '));
  for (const { attributes } of consumed) {
    expect(attributes['gudang.order_id']).toBe(orderId);
  }
  const [{ traceId }] = trace as [CollectedSpan];
  const linesOf = (part: { output(): string }): string[] =>
    part
      .output()
      .split('\n')
      .filter((line) => line.includes(`"orderId":"${orderId}"`) && line.includes(traceId));
  for (const part of [system.order, system.stock]) expect(linesOf(part)).not.toEqual([]);
  expect(linesOf(system.order).join()).toContain('"msg":"order stored"');
  await stocks.close();
});
