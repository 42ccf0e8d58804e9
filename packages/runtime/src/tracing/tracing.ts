import type { Stoppable } from '../stoppable.ts';
import type { Span, SpanOptions, StartSpan } from './span.ts';

/** One a process, like OpenTelemetry's own: what is traced need not be handed a tracer. */
let start: StartSpan | undefined;

/**
 * Begins a span; undefined when tracing is off, which costs one comparison.
 * @param name few different ones, such as `decide order_created`: what is particular goes into
 *   attributes
 */
export function startSpan(name: string, options: SpanOptions): Span | undefined {
  return start?.(name, options);
}

/** Whether spans are made: what only serves them can be left out when they are not. */
export function isTracing(): boolean {
  return start !== undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether OpenTelemetry's own variables say where traces go to. */
export function isTracingConfigured(environment: Environment): boolean {
  const { OTEL_SDK_DISABLED: disabled, OTEL_TRACES_EXPORTER: exporter = 'otlp' } = environment;
  if (disabled?.toLowerCase() === 'true' || exporter === 'none') return false;
  return Boolean(
    environment['OTEL_EXPORTER_OTLP_ENDPOINT'] || environment['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'],
  );
}

/**
 * Sends traces over OTLP/HTTP when OTEL_EXPORTER_OTLP_ENDPOINT is set; further OTEL_ variables
 * mean what OpenTelemetry says. Otherwise nothing of it is loaded.
 * @param name the service's, unless OTEL_SERVICE_NAME says otherwise
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

const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/**
 * What a header says of a cause; undefined when it is no W3C traceparent: whoever sends it may
 * write what they like, and it goes into the database and into logs.
 */
export function parseTraceparent(
  header: string | readonly string[] | undefined,
): string | undefined {
  return typeof header === 'string' && TRACEPARENT.test(header) ? header : undefined;
}

/** The trace's id in a traceparent, for log lines; undefined where there is none. */
export function traceId(traceparent: string | null | undefined): string | undefined {
  return traceparent?.split('-')[1];
}
