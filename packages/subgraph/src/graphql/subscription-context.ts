/**
 * Data that a running subscription attaches to its operation's context: the position of the stream, the
 * trace of the current event, and what ends the subscription. The websocket that sends the events reads
 * this data.
 */

/**
 * Position of a stream. It is a cursor if every event before this cursor was sent. It is null while the
 * stream sends a snapshot and therefore has no position. It is undefined while the position is unknown.
 */
export type Position = string | null | undefined;

/** A subscription that reports its position. */
export interface Positioned {
  readonly read: () => Position;
  /** The cursor after which the subscription begins; see `setStartPosition`. */
  start?: string;
  /** Must be called when the position becomes null. */
  onLost: () => void;
}

interface Ending {
  hasEnded: boolean;
  readonly callbacks: (() => void)[];
}

const endings = new WeakMap<object, Ending>();
const positions = new WeakMap<object, Positioned>();
const traces = new WeakMap<object, string | undefined>();

/**
 * Registers a function that reads the position of a subscription, for a gateway that wants position
 * reports.
 * @param context the context of the subscription's operation
 * @returns a function to call before the subscription sends a snapshot
 */
export function registerPosition(context: object, read: () => Position): () => void {
  const positioned: Positioned = { read, onLost: () => {} };
  positions.set(context, positioned);
  return () => positioned.onLost();
}

/**
 * Sets the position at which a subscription begins. Call it before the first event of a subscription that
 * sends every event after a cursor, without a snapshot. The position is reported before the first event,
 * so that the gateway can continue after any event, even while the subscription is never idle.
 * @param context the context of the subscription's operation
 */
export function setStartPosition(context: object, cursor: string): void {
  const positioned = positions.get(context);
  if (positioned) positioned.start = cursor;
}

/** Returns the position registered for a context; undefined if no position was registered. */
export function registeredPosition(context: unknown): Positioned | undefined {
  return typeof context === 'object' && context !== null ? positions.get(context) : undefined;
}

/**
 * Sets the trace of the next event that a subscription sends.
 * @param context the context of the subscription's operation
 * @param traceparent W3C traceparent of the event's cause
 */
export function setEventTrace(context: object, traceparent: string | undefined): void {
  if (traceparent !== undefined || traces.has(context)) traces.set(context, traceparent);
}

/**
 * Returns the traceparent of the event that a subscription is sending; undefined if the event has no
 * traceparent.
 */
export function eventTraceOf(context: unknown): string | undefined {
  return typeof context === 'object' && context !== null ? traces.get(context) : undefined;
}

/**
 * Registers a function that is called when the subscriber leaves, at once if it has left already. A
 * subscription that waits for a change must end in this function.
 * @param context the context of the subscription's operation
 */
export function onSubscriptionEnd(context: object, callback: () => void): void {
  const ending = endingOf(context);
  if (ending.hasEnded) callback();
  else ending.callbacks.push(callback);
}

/** Calls the functions registered with `onSubscriptionEnd` for a context. */
export function endSubscription(context: unknown): void {
  if (typeof context !== 'object' || context === null) return;
  const ending = endingOf(context);
  ending.hasEnded = true;
  for (const callback of ending.callbacks.splice(0)) callback();
}

function endingOf(context: object): Ending {
  const existing = endings.get(context);
  if (existing) return existing;
  const ending = { hasEnded: false, callbacks: [] };
  endings.set(context, ending);
  return ending;
}
