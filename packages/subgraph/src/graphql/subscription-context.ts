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

/** Announcement of a snapshot, in order with the events of a subscription. */
export interface SnapshotMarker {
  /**
   * - `begin`: a snapshot begins.
   * - `continue`: the subscription continues a snapshot of an earlier subscription. No `begin` is sent.
   * - `end`: every row of the snapshot was sent.
   */
  readonly phase: 'begin' | 'continue' | 'end';
  /** Whether the snapshot names every row that the subscription watches. */
  readonly complete: boolean;
  /**
   * Whether versions of rows that were sent earlier are void, because a new epoch has begun. Only
   * `begin` says so.
   */
  readonly reset: boolean;
}

/** A subscription that reports its position. */
export interface Positioned {
  readonly read: () => Position;
  /** Equal for the subscriptions between which a client may be moved; see `registerPosition`. */
  readonly group: string;
  /** The cursor after which the subscription begins; see `setStartPosition`. */
  start?: string;
  /** Markers that were announced before `onMarker` was set, in order. */
  readonly markers: SnapshotMarker[];
  /** Sends a marker. The position is null from `begin` or `continue` on. */
  onMarker?: (marker: SnapshotMarker) => void;
}

/** Maximum number of markers that wait for the first event of a subscription, which sends at most four. */
const MAX_MARKERS = 8;

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
 * @param group equal for the subscriptions between which the gateway may move a client, which are those
 *   with the same arguments and the same caller. Their positions are reported together
 */
export function registerPosition(context: object, read: () => Position, group = ''): void {
  positions.set(context, { read, group, markers: [] });
}

/**
 * Announces a snapshot to the gateway. Call it between the events: before the first row, and after the
 * last row was sent. From `begin` or `continue` on, the subscription has no position; see `Position`.
 * @param context the context of the subscription's operation
 */
export function announceSnapshot(context: object, marker: SnapshotMarker): void {
  const positioned = positions.get(context);
  if (!positioned) return;
  if (positioned.onMarker) positioned.onMarker(marker);
  else {
    positioned.markers.push(marker);
    // A connection without position reports never reads them.
    if (positioned.markers.length > MAX_MARKERS) positioned.markers.shift();
  }
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
