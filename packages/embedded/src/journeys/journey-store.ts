import { createJourneys, type Journey, STEPS } from './order-journey.ts';
import type { ReceivedSpan } from './read-spans.ts';

/** Maximum number of spans in memory, about 5 MB. The oldest traces are dropped. */
const MAX_SPANS = 10_000;
/** Maximum number of spans of a trace. An order has about 20. */
const MAX_SPANS_OF_TRACE = 200;
/** Number of journeys in a list. */
const LISTED = 20;

/** The newest journeys, as the overview of the gateway shows them. */
export interface Journeys {
  /** The names of all steps, in order. */
  readonly steps: readonly string[];
  /** The newest journeys, the newest first; at most 20. */
  readonly journeys: readonly Journey[];
}

/** Keeps the spans of the newest traces, in bounded memory. */
export class JourneyStore {
  /** Spans by trace id, the oldest trace first. */
  readonly #traces = new Map<string, ReceivedSpan[]>();
  #spanCount = 0;

  add(spans: readonly ReceivedSpan[]): void {
    for (const span of spans) {
      const trace = this.#traces.get(span.traceId) ?? [];
      if (trace.length >= MAX_SPANS_OF_TRACE || isRepeatedPush(trace, span)) continue;
      trace.push(span);
      this.#traces.set(span.traceId, trace);
      this.#spanCount += 1;
    }
    for (const [id, { length }] of this.#traces) {
      if (this.#spanCount <= MAX_SPANS) return;
      this.#traces.delete(id);
      this.#spanCount -= length;
    }
  }

  newest(): Journeys {
    const byOrder = new Map<string, Journey>();
    for (const trace of this.#traces.values()) {
      for (const journey of createJourneys(trace)) {
        // A repeated request may name the order of an earlier one.
        if (!byOrder.has(journey.id)) byOrder.set(journey.id, journey);
      }
    }
    const journeys = [...byOrder.values()].sort((one, other) => other.at.localeCompare(one.at));
    return { steps: STEPS, journeys: journeys.slice(0, LISTED) };
  }
}

/** Each live stream pushes a change. Only the first push of a change is kept. */
function isRepeatedPush(trace: readonly ReceivedSpan[], span: ReceivedSpan): boolean {
  return (
    span.name.startsWith('push ') &&
    trace.some((one) => one.name === span.name && one.parentSpanId === span.parentSpanId)
  );
}
