import type { Stoppable } from '../stoppable.ts';
import type { Span, SpanOptions, StartSpan } from './span.ts';

/**
 * The tracer of the process. It is global, like OpenTelemetry's tracer, so that traced code needs no
 * parameter for it.
 */
let start: StartSpan | undefined;

/**
 * Starts a span. Returns undefined if tracing is disabled; the call then costs one comparison.
 * @param name a name from a small set, such as `decide order_created`; details belong in attributes
 */
export function startSpan(name: string, options: SpanOptions): Span | undefined {
  return start?.(name, options);
}

/** Whether tracing is enabled. Callers use it to skip work that is necessary only for spans. */
export function isTracing(): boolean {
  return start !== undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether OpenTelemetry's variables configure a destination for traces. */
export function isTracingConfigured(environment: Environment): boolean {
  const { OTEL_SDK_DISABLED: disabled, OTEL_TRACES_EXPORTER: exporter = 'otlp' } = environment;
  if (disabled?.toLowerCase() === 'true' || exporter === 'none') return false;
  return Boolean(
    environment['OTEL_EXPORTER_OTLP_ENDPOINT'] || environment['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'],
  );
}

/**
 * Starts to send traces with OTLP over HTTP if OTEL_EXPORTER_OTLP_ENDPOINT is set. If it is not set, no
 * part of OpenTelemetry is loaded. Other OTEL_ variables have the meaning that OpenTelemetry defines.
 * @param name the service name. OTEL_SERVICE_NAME overrides it
 */
export async function startTracing(
  name: string,
  environment: Environment = process.env,
): Promise<Stoppable> {
  if (!isTracingConfigured(environment)) return { stop: async () => {} };
  const { createTracer } = await import('./open-telemetry.ts');
  const tracer = createTracer(name);
  start = tracer.startSpan;
  return {
    stop: async () => {
      start = undefined;
      await tracer.stop();
    },
  };
}

/** Returns the trace id in a traceparent, for log lines; undefined if there is no traceparent. */
export function traceId(traceparent: string | null | undefined): string | undefined {
  return traceparent?.split('-')[1];
}
