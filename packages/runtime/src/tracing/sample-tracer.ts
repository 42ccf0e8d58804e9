import { randomBytes } from 'node:crypto';
import type { Stoppable } from '../stoppable.ts';
import type { SpanKind, StartSpan } from './span.ts';
import { SpanSender } from './span-sender.ts';

/** Maximum number of traces that this process begins per second. As many may begin at once. */
const TRACES_PER_SECOND = 10;
/** A traceparent whose trace is sampled: the lowest bit of its flags is set. */
const SAMPLED = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f][13579bdf]$/;
const TRACE_ID = /^00-([0-9a-f]{32})-/;
/** The enumeration `SpanKind` of OTLP. */
const KINDS: Readonly<Record<SpanKind, number>> = {
  internal: 1,
  server: 2,
  client: 3,
  producer: 4,
  consumer: 5,
};

/**
 * Creates a tracer that traces samples: the requests with the given names, at most 10 per second, and what
 * they cause in any service. All other spans cost one comparison.
 *
 * OpenTelemetry's SDK is not used, because it would take 17 MiB of memory and 0.2 s of CPU time at the
 * start of each process, and this tracer is on by default.
 * @param entries names of entry spans that may begin a trace
 * @param url receiver of the spans
 */
export function createSampleTracer(
  service: string,
  { entries, url }: { entries: ReadonlySet<string>; url: string },
): Stoppable & { readonly startSpan: StartSpan } {
  const sender = new SpanSender(service, url);
  const now = createClock();
  const takeTrace = createTraceRate();

  return {
    startSpan: (name, { kind, parent, isEntry, from, attributes }) => {
      const cause = isEntry || typeof parent !== 'string' ? undefined : SAMPLED.exec(parent);
      if (!cause && !(isEntry && entries.has(name) && takeTrace())) return undefined;
      const traceId = cause?.[1] ?? TRACE_ID.exec(parent ?? '')?.[1] ?? newId(16);
      const spanId = newId(8);
      const startedAt = from ?? now();
      const values = { ...attributes };
      return {
        traceparent: `00-${traceId}-${spanId}-01`,
        set: (attribute, value) => {
          values[attribute] = value;
        },
        end: (error) =>
          sender.add({
            traceId,
            spanId,
            parentSpanId: cause?.[2],
            name,
            kind: KINDS[kind],
            from: startedAt,
            to: now(),
            attributes: values,
            error: error === undefined ? undefined : String(error),
          }),
      };
    },
    stop: () => sender.stop(),
  };
}

function newId(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}

/**
 * Returns a clock in milliseconds since 1970, with a resolution of microseconds. It follows the system's
 * clock, because spans of several processes are compared, and `performance.now()` stops while a computer
 * sleeps.
 */
function createClock(): () => number {
  let origin = performance.timeOrigin;
  return () => {
    const wall = Date.now();
    const time = origin + performance.now();
    // `Date.now()` is rounded down to a millisecond.
    if (time >= wall - 1 && time < wall + 2) return time;
    origin += wall - time;
    return wall;
  };
}

/** Returns a function that counts a trace, and returns whether it is within the limit. */
function createTraceRate(): () => boolean {
  let left = TRACES_PER_SECOND;
  let countedAt = performance.now();
  return () => {
    const time = performance.now();
    left = Math.min(TRACES_PER_SECOND, left + ((time - countedAt) / 1_000) * TRACES_PER_SECOND);
    countedAt = time;
    if (left < 1) return false;
    left -= 1;
    return true;
  };
}
