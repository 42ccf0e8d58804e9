import { type Position, registeredPosition } from './subscription-context.ts';

/** How often streams that have yet to say where they stand are asked, in milliseconds. */
const ASK_EVERY_MS = 100;
/** How often all others are told, when nothing new has made them told before. */
const TELL_EVERY_MS = 2_000;

/** Tells the positions of one connection's streams, in pings of graphql-transport-ws. */
export interface PositionReporter {
  /** @param context of the operation; one that exposes no position is never told */
  readonly add: (id: string, context: unknown) => void;
  readonly remove: (id: string) => void;
  readonly stop: () => void;
}

interface Told {
  readonly context: unknown;
  read?: () => Position;
  last: Position;
}

/**
 * Streams of a connection are told together: those on which nothing happens then stand at the very
 * same cursor, and clients can go from one to the other.
 */
export function createPositionReporter(send: (message: string) => void): PositionReporter {
  const streams = new Map<string, Told>();
  let timer: NodeJS.Timeout | undefined;
  let toldAt = Number.NEGATIVE_INFINITY;

  const tell = (cursors: Record<string, string | null>): void => {
    send(JSON.stringify({ type: 'ping', payload: { cursors } }));
  };

  // A generator exposes its position once it runs, which is after the operation has begun.
  const readerOf = (id: string, stream: Told): (() => Position) => {
    if (stream.read) return stream.read;
    const positioned = registeredPosition(stream.context);
    if (!positioned) return () => undefined;
    positioned.onLost = () => {
      if (streams.get(id) === stream && typeof stream.last === 'string') tell({ [id]: null });
      stream.last = null;
    };
    stream.read = positioned.read;
    return positioned.read;
  };

  const ask = (): void => {
    const moved: Record<string, string> = {};
    let due = performance.now() - toldAt >= TELL_EVERY_MS;
    for (const [id, stream] of streams) {
      const position = readerOf(id, stream)();
      if (typeof position !== 'string' || position === stream.last) continue;
      moved[id] = position;
      due ||= typeof stream.last !== 'string';
    }
    if (!due || Object.keys(moved).length === 0) return;
    toldAt = performance.now();
    for (const [id, position] of Object.entries(moved)) {
      const stream = streams.get(id);
      if (stream) stream.last = position;
    }
    tell(moved);
  };

  const stop = (): void => {
    clearInterval(timer);
    timer = undefined;
  };

  return {
    add: (id, context) => {
      // Before any event: the gateway then knows that positions are told here.
      if (toldAt === Number.NEGATIVE_INFINITY) {
        toldAt = performance.now();
        tell({});
      }
      streams.set(id, { context, last: undefined });
      timer ??= setInterval(ask, ASK_EVERY_MS);
    },
    remove: (id) => {
      streams.delete(id);
      if (streams.size === 0) stop();
    },
    stop,
  };
}
