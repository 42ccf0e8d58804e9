import {
  SpanKind as Kind,
  ROOT_CONTEXT,
  type SpanContext,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { pause } from '../backoff.ts';
import type { Stoppable } from '../stoppable.ts';
import type { SpanKind, StartSpan } from './span.ts';

const KINDS: Readonly<Record<SpanKind, Kind>> = {
  server: Kind.SERVER,
  client: Kind.CLIENT,
  producer: Kind.PRODUCER,
  consumer: Kind.CONSUMER,
  internal: Kind.INTERNAL,
};
/** Maximum time for which an unavailable collector can delay the end of the process, in milliseconds. */
const STOP_LIMIT_MS = 3_000;
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Creates a tracer that sends spans in batches. When it stops, it sends the remaining spans. */
export function createTracer(name: string): Stoppable & { readonly startSpan: StartSpan } {
  const resource = defaultResource()
    .merge(resourceFromAttributes({ 'service.name': name }))
    .merge(detectResources({ detectors: [envDetector] }));
  const provider = new NodeTracerProvider({
    resource,
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  const tracer = provider.getTracer('gudang');
  return {
    startSpan: (spanName, { kind, parent, from, attributes }) => {
      const cause = parent ? toSpanContext(parent) : undefined;
      const span = tracer.startSpan(
        spanName,
        {
          kind: KINDS[kind],
          ...(attributes ? { attributes } : {}),
          ...(from === undefined ? {} : { startTime: from }),
        },
        cause ? trace.setSpanContext(ROOT_CONTEXT, cause) : ROOT_CONTEXT,
      );
      return {
        traceparent: toTraceparent(span.spanContext()),
        set: (attribute, value) => void span.setAttribute(attribute, value),
        end: (error) => {
          if (error !== undefined) {
            span.setStatus({ code: SpanStatusCode.ERROR, message: String(error) });
          }
          span.end();
        },
      };
    },
    stop: () => Promise.race([provider.shutdown(), pause(STOP_LIMIT_MS)]),
  };
}

function toSpanContext(text: string): SpanContext | undefined {
  const [, id, spanId, flags] = TRACEPARENT.exec(text) ?? [];
  if (!id || !spanId || !flags) return undefined;
  return { traceId: id, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
}

function toTraceparent({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}
