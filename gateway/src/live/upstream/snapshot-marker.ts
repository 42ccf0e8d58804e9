import { createPayload, type LivePayload } from './live-payload.ts';

/** A subgraph's announcement of a snapshot, in order with the events of a stream. */
export interface SnapshotMarker {
  /**
   * - `begin`: a snapshot begins.
   * - `continue`: the subscription continues a snapshot of an earlier subscription.
   * - `end`: every row of the snapshot was sent.
   */
  readonly phase: 'begin' | 'continue' | 'end';
  /** Whether the snapshot names every row that matches the subscription. */
  readonly complete: boolean;
  /** Whether the versions of rows that were sent earlier are void. */
  readonly reset: boolean;
}

/** A marker between two events of an upstream stream. */
export interface SnapshotItem {
  readonly phase: SnapshotMarker['phase'];
  /** Number of the last event before the marker. */
  readonly seq: number;
  /** The message for clients, serialized once for all of them. */
  readonly message: LivePayload;
}

/** Reads a marker of a subgraph; undefined if it is malformed. */
export function parseMarker(value: unknown): SnapshotMarker | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { phase, complete, reset } = value as Readonly<Record<string, unknown>>;
  if (phase !== 'begin' && phase !== 'continue' && phase !== 'end') return undefined;
  return { phase, complete: complete === true, reset: reset === true };
}

/** Creates the item of a marker; its message is `{"data":null,"extensions":{"live":{"snapshot":…}}}`. */
export function createSnapshotItem(
  { phase, complete, reset }: SnapshotMarker,
  seq: number,
): SnapshotItem {
  const extensions = { live: { snapshot: { phase, complete, reset } } };
  const marks = { cursor: undefined, key: undefined };
  return { phase, seq, message: createPayload({ data: null, extensions }, marks, { seq }) };
}
