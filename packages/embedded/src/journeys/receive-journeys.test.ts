import { startSpan, startTracing } from '@gudang/runtime/tracing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Journeys } from './journey-store.ts';
import { type JourneyReceiver, receiveJourneys, startJourneys } from './receive-journeys.ts';

let receiver: JourneyReceiver;
beforeEach(async () => {
  receiver = await receiveJourneys();
});
afterEach(() => receiver.stop());

const journeys = async (): Promise<Journeys> =>
  (await fetch(`${receiver.url}/journeys`)).json() as Promise<Journeys>;
const send = (body: string | ReadableStream, type = 'application/json'): Promise<Response> =>
  fetch(`${receiver.url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': type },
    body,
    duplex: 'half',
  } as RequestInit);

/** Creates the spans of an order that was stored. */
function traceOrder(): void {
  const request = startSpan('createOrder', { kind: 'server', isEntry: true });
  const stored = startSpan('store order', { kind: 'internal', parent: request?.traceparent });
  stored?.set('gudang.order_id', 'o1');
  stored?.end();
  request?.end();
}

const STORED = {
  id: 'o1',
  at: expect.stringMatching(/^\d{4}-.*Z$/),
  settled: false,
  steps: [
    { name: 'accepted', from: 0, to: expect.any(Number) },
    { name: 'stored', from: expect.any(Number), to: expect.any(Number) },
  ],
};

describe('receiveJourneys', () => {
  it('receives the spans of the services', async () => {
    const tracing = await startTracing('shop', {
      JOURNEYS_URL: receiver.url,
      JOURNEYS_OF: 'createOrder',
    });
    traceOrder();
    await tracing.stop();
    expect(await journeys()).toEqual({
      steps: ['accepted', 'stored', 'sent', 'decided', 'settled', 'pushed'],
      journeys: [STORED],
    });
  });

  it('receives the spans of OpenTelemetry’s exporter', async () => {
    // The exporter reads its settings from the process's environment variables, as OpenTelemetry specifies.
    process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = receiver.url;
    try {
      const tracing = await startTracing('shop');
      traceOrder();
      await tracing.stop();
    } finally {
      delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
    }
    expect((await journeys()).journeys).toEqual([STORED]);
  });

  it.each([
    ['nonsense', 400],
    ['{}', 200],
    ['null', 200],
    ['[[]]', 200],
    ['{"resourceSpans":{}}', 200],
    ['{"resourceSpans":[null,{"scopeSpans":[{"spans":[null,1,"a",{},{"traceId":7}]}]}]}', 200],
    [
      spansOf(
        { startTimeUnixNano: '1e99', name: 'createOrder' },
        { spanId: '3', attributes: [{ key: 'gudang.order_id', value: { stringValue: 'o' } }] },
      ),
      200,
    ],
    [spansOf({ startTimeUnixNano: 'yesterday' }), 200],
    [spansOf({ traceId: 'x'.repeat(100_000) }), 200],
    [spansOf({ attributes: [null, { key: 'gudang.order_id' }], status: null }), 200],
  ])('survives the body %.60s', async (body, status) => {
    expect((await send(body)).status).toBe(status);
    expect((await journeys()).journeys).toEqual([]);
  });

  it('refuses requests of other programs', async () => {
    const { origin } = new URL(receiver.url);
    for (const path of ['/', '/journeys', '/v1/traces', '/x/journeys']) {
      expect((await fetch(`${origin}${path}`)).status).toBe(404);
    }
    expect((await fetch(`${receiver.url}/journeys`, { method: 'POST' })).status).toBe(404);
    // A page of another website may send this type without asking.
    expect((await send('{}', 'text/plain')).status).toBe(415);
  });

  it('refuses a body above 2 MiB, also in chunks', async () => {
    const large = ' '.repeat(2 * 1024 * 1024 + 1);
    const answer = await send(large).catch(() => undefined);
    if (answer) expect(answer.status).toBe(413);
    await expect(send(new Blob([large]).stream())).rejects.toThrow();
    expect((await journeys()).journeys).toEqual([]);
  });
});

it.each([
  { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' },
  { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:4318' },
  { OTEL_SDK_DISABLED: 'true' },
  { OTEL_TRACES_EXPORTER: 'none' },
  { JOURNEYS_URL: 'http://127.0.0.1:9' },
])('startJourneys starts no receiver with %j', async (environment) => {
  expect(await startJourneys(environment)).toEqual({});
});

it('startJourneys returns the settings of the services', async () => {
  const { JOURNEYS_URL: url, ...rest } = await startJourneys({ OTEL_EXPORTER_OTLP_ENDPOINT: '' });
  expect(rest).toEqual({ JOURNEYS_OF: 'createOrder,POST /order/add-order' });
  expect((await fetch(`${url}/journeys`)).status).toBe(200);
});

/** Returns a request with spans of one trace. */
function spansOf(...changed: object[]): string {
  const time = '1700000000000250000';
  const span = { traceId: '1', spanId: '2', name: 'store order' };
  const spans = changed.map((fields) => ({
    ...span,
    startTimeUnixNano: time,
    endTimeUnixNano: time,
    ...fields,
  }));
  return JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
}
