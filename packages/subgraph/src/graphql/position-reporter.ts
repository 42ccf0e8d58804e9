import { type Position, registeredPosition, type SnapshotMarker } from './subscription-context.ts';

/** Interval at which the positions of the streams are read, in milliseconds. */
const READ_INTERVAL_MS = 100;
/**
 * Minimum time between two reports, in milliseconds. The first position of a stream is reported without
 * this wait.
 */
const REPORT_INTERVAL_MS = 2_000;
/**
 * Maximum number of positions per second and connection that are reported because an interval has passed.
 * With more than 2,000 streams, the interval is longer: 10 s for 10,000 streams. Otherwise, the reports of
 * idle streams would make each change cost more. With 10,000 streams and 1,000 changes per second, a change
 * costs the same as with 100 streams (`npm run bench:live-owners`).
 */
const POSITIONS_PER_S = 1_000;

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
  /** The group of streams that report their positions together. */
  group?: string;
  /** The last reported position. */
  last: Position;
  hasBegun: boolean;
}

/**
 * Creates the position reporter of one connection. It reports the positions of the streams of a group in one
 * message. Idle streams therefore have the same cursor, so a client can switch from one stream to another
 * of the group at this cursor.
 * @param send sends a websocket message
 */
export function createPositionReporter(send: (message: string) => void): PositionReporter {
  const streams = new Map<string, ReportedStream>();
  /** Streams without a reported position, which are read at each interval. */
  const unreported = new Map<string, ReportedStream>();
  const groups = new Map<string, Set<string>>();
  let timer: NodeJS.Timeout | undefined;
  let reportedAt = Number.NEGATIVE_INFINITY;

  const sendCursors = (cursors: Record<string, string | null>): void => {
    send(JSON.stringify({ type: 'ping', payload: { cursors } }));
  };

  const sendMarker = (id: string, stream: ReportedStream, marker: SnapshotMarker): void => {
    if (streams.get(id) !== stream) return;
    const begins = marker.phase !== 'end';
    const cursors = begins ? { [id]: null } : {};
    if (begins) {
      stream.last = null;
      unreported.set(id, stream);
    }
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
    stream.group = positioned.group;
    const group = groups.get(positioned.group);
    if (group) group.add(id);
    else groups.set(positioned.group, new Set([id]));
    return positioned.read;
  };

  /** Adds the positions of streams that have moved. */
  const addMoved = (ids: Iterable<string>, moved: Record<string, string>): void => {
    for (const id of ids) {
      const stream = streams.get(id);
      if (!stream) continue;
      const position = readerOf(id, stream)();
      if (typeof position !== 'string' || position === stream.last) continue;
      moved[id] = position;
      stream.last = position;
      unreported.delete(id);
    }
  };

  const report = (): void => {
    const moved: Record<string, string> = {};
    for (const [id, stream] of unreported) {
      const position = readerOf(id, stream)();
      const { group = '' } = stream;
      if (typeof position === 'string') addMoved(groups.get(group) ?? [id], moved);
    }
    const intervalMs = Math.max(REPORT_INTERVAL_MS, (streams.size * 1_000) / POSITIONS_PER_S);
    if (performance.now() - reportedAt >= intervalMs) {
      addMoved(streams.keys(), moved);
      if (Object.keys(moved).length > 0) reportedAt = performance.now();
    }
    if (Object.keys(moved).length > 0) sendCursors(moved);
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
      const stream = { context, last: undefined, hasBegun: false };
      streams.set(id, stream);
      unreported.set(id, stream);
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
      unreported.delete(id);
      sendCursors({ [id]: start });
    },
    remove: (id) => {
      const { group = '' } = streams.get(id) ?? {};
      streams.delete(id);
      unreported.delete(id);
      groups.get(group)?.delete(id);
      if (groups.get(group)?.size === 0) groups.delete(group);
      if (streams.size === 0) stop();
    },
    stop,
  };
}
