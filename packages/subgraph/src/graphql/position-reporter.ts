import { type Position, registeredPosition, type SnapshotMarker } from './subscription-context.ts';

/** Interval at which the positions of the streams are read, in milliseconds. */
const READ_INTERVAL_MS = 100;
/**
 * Minimum time between two reports, in milliseconds. The first position of a stream is reported without
 * this wait.
 */
const REPORT_INTERVAL_MS = 2_000;

/**
 * Reports the positions and the snapshots of a connection's streams, in `ping` messages of
 * graphql-transport-ws: `{"cursors": {"<id>": "<cursor>" | null}, "snapshots": {"<id>": <marker>}}`.
 */
export interface PositionReporter {
  /**
   * @param context the context of the operation. The position of a stream is reported only if its
   * subscription registered a position
   */
  readonly add: (id: string, context: unknown) => void;
  readonly remove: (id: string) => void;
  /** Reports the position or the snapshot with which a stream begins. Call before each event. */
  readonly beforeEvent: (id: string) => void;
  readonly stop: () => void;
}

interface ReportedStream {
  readonly context: unknown;
  /** Reads the stream's position. Undefined until the subscription has registered this function. */
  read?: () => Position;
  /** The last reported position. */
  last: Position;
  hasBegun: boolean;
}

/**
 * Creates the position reporter of one connection. It reports the positions of all streams in one
 * message. Idle streams therefore have the same cursor, so a client can switch from one stream to another
 * at this cursor.
 * @param send sends a websocket message
 */
export function createPositionReporter(send: (message: string) => void): PositionReporter {
  const streams = new Map<string, ReportedStream>();
  let timer: NodeJS.Timeout | undefined;
  let reportedAt = Number.NEGATIVE_INFINITY;

  const sendCursors = (cursors: Record<string, string | null>): void => {
    send(JSON.stringify({ type: 'ping', payload: { cursors } }));
  };

  const sendMarker = (id: string, stream: ReportedStream, marker: SnapshotMarker): void => {
    if (streams.get(id) !== stream) return;
    const begins = marker.phase !== 'end';
    const cursors = begins ? { [id]: null } : {};
    if (begins) stream.last = null;
    send(JSON.stringify({ type: 'ping', payload: { cursors, snapshots: { [id]: marker } } }));
  };

  // A subscription registers its position when its generator first runs, which is after `add`.
  const readerOf = (id: string, stream: ReportedStream): (() => Position) => {
    if (stream.read) return stream.read;
    const positioned = registeredPosition(stream.context);
    if (!positioned) return () => undefined;
    positioned.onMarker = (marker) => sendMarker(id, stream, marker);
    for (const marker of positioned.markers.splice(0)) sendMarker(id, stream, marker);
    stream.read = positioned.read;
    return positioned.read;
  };

  const report = (): void => {
    const moved: Record<string, string> = {};
    let isDue = performance.now() - reportedAt >= REPORT_INTERVAL_MS;
    for (const [id, stream] of streams) {
      const position = readerOf(id, stream)();
      if (typeof position !== 'string' || position === stream.last) continue;
      moved[id] = position;
      isDue ||= typeof stream.last !== 'string';
    }
    if (!isDue || Object.keys(moved).length === 0) return;
    reportedAt = performance.now();
    for (const [id, position] of Object.entries(moved)) {
      const stream = streams.get(id);
      if (stream) stream.last = position;
    }
    sendCursors(moved);
  };

  const stop = (): void => {
    clearInterval(timer);
    timer = undefined;
  };

  return {
    add: (id, context) => {
      // The empty report before the first event shows the gateway that this subgraph reports positions.
      if (reportedAt === Number.NEGATIVE_INFINITY) {
        reportedAt = performance.now();
        sendCursors({});
      }
      streams.set(id, { context, last: undefined, hasBegun: false });
      timer ??= setInterval(report, READ_INTERVAL_MS);
    },
    beforeEvent: (id) => {
      const stream = streams.get(id);
      if (!stream || stream.hasBegun) return;
      stream.hasBegun = true;
      readerOf(id, stream);
      const { start } = registeredPosition(stream.context) ?? {};
      if (start === undefined || stream.last !== undefined) return;
      stream.last = start;
      sendCursors({ [id]: start });
    },
    remove: (id) => {
      streams.delete(id);
      if (streams.size === 0) stop();
    },
    stop,
  };
}
