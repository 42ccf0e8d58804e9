import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CollectedTracing, startCollectedTracing } from '../testing/trace-collector.ts';
import { isTracing, isTracingConfigured, startSpan, startTracing, traceId } from './tracing.ts';

const CAUSE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('startTracing without OpenTelemetry’s variables', () => {
  it('starts no span and propagates the cause unchanged', async () => {
    const tracing = await startTracing('test', {});
    expect(startSpan('work', { kind: 'server', parent: CAUSE })).toBeUndefined();
    expect(isTracing()).toBe(false);
    await tracing.stop();
  });

  it.each([
    [{}, false],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: '' }, false],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }, true],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://collector:4318/v1/traces' }, true],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c', OTEL_SDK_DISABLED: 'TRUE' }, false],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c', OTEL_TRACES_EXPORTER: 'none' }, false],
  ])('%j: %s', (environment, wanted) => expect(isTracingConfigured(environment)).toBe(wanted));
});

describe('startTracing with OpenTelemetry’s variables', () => {
  let tracing: CollectedTracing;
  beforeEach(async () => {
    tracing = await startCollectedTracing();
  });
  afterEach(() => tracing.stop());

  it('continues the trace of the cause, or starts a new trace if there is no cause', () => {
    const child = startSpan('child', { kind: 'server', parent: CAUSE });
    expect(traceId(child?.traceparent)).toBe(traceId(CAUSE));
    expect(child?.traceparent).not.toBe(CAUSE);
    for (const parent of [undefined, null, 'nonsense', '00-0-0-0']) {
      const root = startSpan('root', { kind: 'server', parent });
      expect(root?.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
      expect(traceId(root?.traceparent)).not.toBe(traceId(CAUSE));
    }
  });

  it('keeps the sampling decision of the cause', () => {
    const unsampled = startSpan('x', { kind: 'server', parent: CAUSE.replace(/01$/, '00') });
    expect(unsampled?.traceparent).toMatch(/-00$/);
    unsampled?.end();
  });

  it('sends the remaining spans when it stops', async () => {
    startSpan('the last one', { kind: 'consumer', attributes: { 'gudang.order_id': 'o1' } })?.end();
    await tracing.flush();
    expect(tracing.received.join()).toContain('/v1/traces');
    expect(tracing.received.join()).toContain('the last one');
    expect(tracing.received.join()).toContain('"gudang.order_id"');
    expect(isTracing()).toBe(false);
  });
});
