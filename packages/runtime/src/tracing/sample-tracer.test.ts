import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type SpanReceiver, startSpanReceiver } from '../testing/span-receiver.ts';
import { readTraceContext } from './trace-context.ts';
import { isTracing, isTracingAll, startSpan, startTracing, traceId } from './tracing.ts';

const CLIENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const UNSAMPLED = CLIENT.replace(/01$/, '00');

let receiver: SpanReceiver;
let tracing: Awaited<ReturnType<typeof startTracing>> | undefined;

const restart = async (environment: Record<string, string> = {}): Promise<void> => {
  await tracing?.stop();
  const journeys = { JOURNEYS_URL: receiver.url, JOURNEYS_OF: 'order, POST /x' };
  tracing = await startTracing('shop', { ...journeys, ...environment });
};
beforeEach(async () => {
  receiver = await startSpanReceiver();
  await restart();
});
afterEach(async () => {
  vi.useRealTimers();
  await tracing?.stop();
  await receiver.stop();
});

const entry = (name: string, parent?: string) =>
  startSpan(name, { kind: 'server', parent, isEntry: true });

describe('startSpan with JOURNEYS_URL', () => {
  it('traces only the named entries and what they cause', async () => {
    const order = entry('order');
    expect(order?.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    const caused = startSpan('outbox', { kind: 'producer', parent: order?.traceparent });
    expect(traceId(caused?.traceparent)).toBe(traceId(order?.traceparent));
    expect(caused?.traceparent).not.toBe(order?.traceparent);

    expect(entry('POST /x')).toBeDefined();
    expect(entry('stocks')).toBeUndefined();
    expect(entry('stocks', CLIENT)).toBeUndefined();
    for (const parent of [undefined, null, 'nonsense', UNSAMPLED]) {
      expect(startSpan('order', { kind: 'server', parent })).toBeUndefined();
    }
    expect([isTracing(), isTracingAll()]).toEqual([true, false]);
  });

  it('keeps the trace id of a client, but not its sampling decision', () => {
    for (const parent of [CLIENT, UNSAMPLED]) {
      expect(traceId(entry('order', parent)?.traceparent)).toBe(traceId(CLIENT));
    }
    expect(readTraceContext({ traceparent: CLIENT })).toEqual({ traceparent: UNSAMPLED });
  });

  it('begins at most 10 traces per second', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    await restart();
    const begun = () => Array.from({ length: 50 }, () => entry('order')).filter(Boolean).length;
    expect(begun()).toBe(10);
    vi.advanceTimersByTime(500);
    expect(begun()).toBe(5);
    vi.advanceTimersByTime(60_000);
    expect(begun()).toBe(10);
  });

  it('sends the spans in the form of OTLP', async () => {
    const before = Date.now();
    const order = entry('order');
    const caused = startSpan('work', {
      kind: 'consumer',
      parent: order?.traceparent,
      from: 1_700_000_000_000.25,
      attributes: { 'shop.id': 'a', count: 3, share: 0.5 },
    });
    caused?.set('later', 'b');
    caused?.end(new Error('broken'));
    order?.end();
    await tracing?.stop();
    expect(receiver.paths).toEqual(['/secret/v1/traces']);
    expect(receiver.services).toEqual(['shop']);
    const [work, root] = receiver.spans;
    expect(work).toEqual({
      traceId: traceId(order?.traceparent),
      spanId: caused?.traceparent.slice(36, 52),
      parentSpanId: order?.traceparent.slice(36, 52),
      name: 'work',
      kind: 5,
      startTimeUnixNano: '1700000000000250000',
      endTimeUnixNano: expect.stringMatching(/^\d{16}000$/),
      attributes: [
        { key: 'shop.id', value: { stringValue: 'a' } },
        { key: 'count', value: { intValue: 3 } },
        { key: 'share', value: { doubleValue: 0.5 } },
        { key: 'later', value: { stringValue: 'b' } },
      ],
      status: { code: 2, message: 'Error: broken' },
    });
    expect(root).toMatchObject({ name: 'order', kind: 2, status: {} });
    expect(root).not.toHaveProperty('parentSpanId');
    const [startedAt, endedAt] = [root?.startTimeUnixNano, root?.endTimeUnixNano].map(
      (nano) => Number(nano) / 1e6,
    ) as [number, number];
    expect(startedAt).toBeGreaterThanOrEqual(before - 1);
    expect(endedAt).toBeGreaterThanOrEqual(startedAt);
    expect(endedAt).toBeLessThanOrEqual(Date.now() + 2);
  });
});

it.each([
  { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' },
  { OTEL_SDK_DISABLED: 'true' },
  { OTEL_TRACES_EXPORTER: 'none' },
  { JOURNEYS_URL: ' ' },
])('traces no samples with %j', async (environment) => {
  await restart(environment);
  const isOff = !('OTEL_EXPORTER_OTLP_ENDPOINT' in environment);
  expect(entry('order') === undefined).toBe(isOff);
  expect(isTracingAll()).toBe(!isOff);
});
