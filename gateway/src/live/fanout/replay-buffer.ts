import type { LivePayload } from '../upstream/live-payload.ts';

/** What one upstream has passed on, as far back as it is kept: where another one can be met. */
export interface PassedLog {
  readonly add: (payload: LivePayload) => void;
  /**
   * A position told by the subgraph; null: the next events are no positions until it tells again;
   * undefined: subscribed anew, so the next events are none before it has told one.
   */
  readonly tell: (position: string | null | undefined, seq: number) => void;
  /** The newest places at which all before a cursor has passed, newest first. */
  readonly meetingPoints: () => readonly string[];
  /** Where all before a cursor had passed; undefined when it never was, or is no longer kept. */
  readonly find: (cursor: string) => number | undefined;
  /** What passed after a place. */
  readonly after: (place: number) => readonly LivePayload[];
  /** How many events of the upstream had come at a place. */
  readonly seqAt: (place: number) => number;
}

interface Entry {
  readonly payload: LivePayload | undefined;
  readonly seq: number;
  /** The cursor at which others may meet this place. */
  cursor?: string;
}

/** How many of the newest meeting points are tried. */
const TRIED = 8;
/** The most places kept, whatever their size. */
const PLACES = 1_000;
/** The places kept however large their payloads are: fewer, and two streams may never meet. */
const AT_LEAST = 16;

/**
 * A cursor counts only once a different one has followed it, or once it was told: events that share
 * one, such as those of a snapshot, are no position before the last of them.
 * @param keep the characters of payloads that are kept
 * @param mustBeTold whether this upstream tells its positions, so that none counts before the first
 */
export function createPassedLog(keep: number, mustBeTold: () => boolean): PassedLog {
  const entries: Entry[] = [];
  const places = new Map<string, number>();
  let first = 0;
  let size = 0;
  let told = false;
  let last: string | undefined;

  const open = (cursor: string, place: number): void => {
    const entry = entries[place - first];
    if (!entry) return;
    entry.cursor = cursor;
    // Deleted before it is set, so that the newest is the last in the map's order.
    places.delete(cursor);
    places.set(cursor, place);
  };
  const push = (entry: Entry): void => {
    entries.push(entry);
    size += entry.payload?.json.length ?? 0;
    while (entries.length > PLACES || (size > keep && entries.length > AT_LEAST)) {
      const dropped = entries.shift();
      size -= dropped?.payload?.json.length ?? 0;
      if (dropped?.cursor !== undefined && places.get(dropped.cursor) === first) {
        places.delete(dropped.cursor);
      }
      first += 1;
    }
  };
  const counts = (): boolean => told || !mustBeTold();

  return {
    add: (payload) => {
      const place = first + entries.length - 1;
      if (last !== undefined && payload.cursor !== undefined && payload.cursor !== last) {
        if (counts()) open(last, place);
      }
      last = payload.cursor ?? last;
      push({ payload, seq: payload.seq });
    },
    tell: (position, seq) => {
      told = typeof position === 'string';
      last = undefined;
      if (position === null) places.clear();
      if (typeof position !== 'string') return;
      push({ payload: undefined, seq });
      open(position, first + entries.length - 1);
    },
    meetingPoints: () => [...places.keys()].slice(-TRIED).reverse(),
    find: (cursor) => places.get(cursor),
    after: (place) =>
      entries
        .slice(place + 1 - first)
        .flatMap(({ payload }) => (payload === undefined ? [] : [payload])),
    seqAt: (place) => entries[place - first]?.seq ?? 0,
  };
}
