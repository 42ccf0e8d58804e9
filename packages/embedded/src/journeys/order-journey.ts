import type { ReceivedSpan } from './read-spans.ts';

/** The steps of an order, in order. */
export const STEPS = ['accepted', 'stored', 'sent', 'decided', 'settled', 'pushed'] as const;

/**
 * The requests whose journeys are shown, for the setting `JOURNEYS_OF` of the services. Their spans have
 * these names.
 */
export const ENTRIES: readonly string[] = ['createOrder', 'POST /order/add-order'];

/** A step of a journey, in milliseconds since the request arrived. */
export interface JourneyStep {
  readonly name: (typeof STEPS)[number];
  /** The end of the step before; for the push of a stock, the end of `decided`. */
  readonly from: number;
  readonly to: number;
}

/** The way of an order through the services. */
export interface Journey {
  /** The order's id. */
  readonly id: string;
  /** When the gateway, or the legacy REST API, received the request, in ISO 8601. */
  readonly at: string;
  /** The completed steps, in the order in which they ended. A step is absent if its span was lost. */
  readonly steps: readonly JourneyStep[];
  /** Whether the decision is stored with the order. */
  readonly settled: boolean;
}

/**
 * Builds the journeys of the orders of a trace. A trace that a client has begun may have several orders. An
 * order without the span of its request or of its insert is left out.
 */
export function createJourneys(trace: readonly ReceivedSpan[]): Journey[] {
  const requests = trace.filter(({ name }) => ENTRIES.includes(name));
  return requests.flatMap((request) => {
    // The spans of a single order need no chain of parents, which a lost span would break.
    const caused = requests.length === 1 ? trace : causedBy(request, trace);
    return createJourney(request, caused) ?? [];
  });
}

/** Returns a span and the spans that it caused, directly or indirectly. */
function causedBy(cause: ReceivedSpan, trace: readonly ReceivedSpan[]): ReceivedSpan[] {
  const ids = new Set([cause.spanId]);
  const found = [cause];
  for (const { spanId } of found) {
    for (const span of trace) {
      if (span.parentSpanId !== spanId || ids.has(span.spanId)) continue;
      ids.add(span.spanId);
      found.push(span);
    }
  }
  return found;
}

function createJourney(request: ReceivedSpan, spans: readonly ReceivedSpan[]): Journey | undefined {
  const completed = spans.filter(({ hasFailed }) => !hasFailed);
  const stored = firstOf(completed, 'store order');
  if (!stored?.orderId) return undefined;

  const steps: JourneyStep[] = [];
  const add = (name: JourneyStep['name'], to: number, from = steps.at(-1)?.to ?? 0): void => {
    steps.push({ name, from, to: Math.max(from, round(to - request.from)) });
  };
  const sent = firstOf(completed, 'outbox order_created');
  const decided = firstOf(completed, 'consume order_created');
  const settled = firstOf(completed, 'consume order_decided');
  add('accepted', stored.from);
  add('stored', stored.to);
  // The stock service may receive the event before the order service receives the acknowledgement.
  if (sent) add('sent', Math.min(sent.to, decided?.from ?? sent.to));
  if (decided) add('decided', decided.to);
  if (settled) add('settled', settled.to);
  const isSettled = settled !== undefined;
  const push = findPush(completed, 'consume order_decided');
  const early = push ? undefined : findPush(completed, 'consume order_created');
  if (push && isSettled) add('pushed', push.to);
  else if (early && isSettled) {
    add('pushed', early.to, steps.find(({ name }) => name === 'decided')?.to);
    steps.sort((one, other) => one.to - other.to);
  }

  const at = new Date(request.from).toISOString();
  return { id: stored.orderId, at, steps, settled: isSettled };
}

/** Finds the span with a name that ended first. A record that is delivered again has further spans. */
function firstOf(spans: readonly ReceivedSpan[], name: string): ReceivedSpan | undefined {
  return spans.filter((span) => span.name === name).sort((one, other) => one.to - other.to)[0];
}

/**
 * Finds the first push of a change to live streams.
 * @param cause name of the span of the step that made the change
 */
function findPush(spans: readonly ReceivedSpan[], cause: string): ReceivedSpan | undefined {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const causeOf = ({ parentSpanId = '' }: ReceivedSpan): string | undefined => {
    let span = byId.get(parentSpanId);
    for (let hops = 0; span && hops < spans.length; hops += 1) {
      if (span.name.startsWith('consume ')) return span.name;
      span = byId.get(span.parentSpanId ?? '');
    }
    return undefined;
  };
  return spans
    .filter((span) => span.name.startsWith('push ') && causeOf(span) === cause)
    .sort((one, other) => one.to - other.to)[0];
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
