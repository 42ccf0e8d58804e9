import type { Stoppable } from '../stoppable.ts';
import { createSampleTracer } from './sample-tracer.ts';
import type { Span, SpanOptions, StartSpan } from './span.ts';

/**
 * The tracer of the process. It is global, like OpenTelemetry's tracer, so that traced code needs no
 * parameter for it.
 */
let start: StartSpan | undefined;
/** Whether the tracer traces only samples. */
let isSample = false;

/**
 * Starts a span. Returns undefined if tracing is disabled; the call then costs one comparison. Also returns
 * undefined if only samples are traced, and the span is not part of one.
 * @param name a name from a small set, such as `decide order_created`; details belong in attributes
 */
export function startSpan(name: string, options: SpanOptions): Span | undefined {
  return start?.(name, options);
}

/** Whether tracing is enabled. Callers use it to skip work that is necessary only for spans. */
export function isTracing(): boolean {
  return start !== undefined;
}

/** Whether every operation is traced, unlike samples. */
export function isTracingAll(): boolean {
  return start !== undefined && !isSample;
}

/**
 * Returns the traceparent of a client's request for the next steps. If only samples are traced, the result
 * is marked as not sampled: this system decides what it traces, and not the client.
 */
export function admitCause(traceparent: string): string {
  return isSample ? `${traceparent.slice(0, -2)}00` : traceparent;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether OpenTelemetry's variables configure a destination for traces. */
export function isTracingConfigured(environment: Environment): boolean {
  if (isTracingForbidden(environment)) return false;
  return Boolean(
    environment['OTEL_EXPORTER_OTLP_ENDPOINT'] || environment['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'],
  );
}

/** Whether OpenTelemetry's variables turn tracing off. */
function isTracingForbidden(environment: Environment): boolean {
  const { OTEL_SDK_DISABLED: disabled, OTEL_TRACES_EXPORTER: exporter = 'otlp' } = environment;
  return disabled?.toLowerCase() === 'true' || exporter === 'none';
}

/** Whether OpenTelemetry's variables leave tracing to `JOURNEYS_URL`: they neither configure nor forbid it. */
export function allowsJourneys(environment: Environment): boolean {
  return !isTracingForbidden(environment) && !isTracingConfigured(environment);
}

/**
 * Starts to send traces with OTLP over HTTP if OTEL_EXPORTER_OTLP_ENDPOINT is set. If it is not set, no
 * part of OpenTelemetry is loaded. Other OTEL_ variables have the meaning that OpenTelemetry defines.
 * If only JOURNEYS_URL is set, samples are sent there.
 * @param name the service name. OTEL_SERVICE_NAME overrides it
 */
export async function startTracing(
  name: string,
  environment: Environment = process.env,
): Promise<Stoppable> {
  const tracer = await createTracer(name, environment);
  if (tracer === undefined) return { stop: async () => {} };
  start = tracer.startSpan;
  isSample = tracer.isSample;
  return {
    stop: async () => {
      start = undefined;
      isSample = false;
      await tracer.stop();
    },
  };
}

async function createTracer(name: string, environment: Environment) {
  if (isTracingConfigured(environment)) {
    const openTelemetry = await import('./open-telemetry.ts');
    return { ...openTelemetry.createTracer(name), isSample: false };
  }
  const { JOURNEYS_URL: url, JOURNEYS_OF: names = '' } = environment;
  if (!url?.trim() || !allowsJourneys(environment)) return undefined;
  const entries = new Set(names.split(',').map((entry) => entry.trim()));
  return { ...createSampleTracer(name, { entries, url: url.trim() }), isSample: true };
}

/** Returns the trace id in a traceparent, for log lines; undefined if there is no traceparent. */
export function traceId(traceparent: string | null | undefined): string | undefined {
  return traceparent?.split('-')[1];
}
