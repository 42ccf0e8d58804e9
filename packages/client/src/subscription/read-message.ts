import type { OperationResult } from '../connection/link.ts';
import type { ChangeEvent, FailedEvent, SnapshotMarker } from '../live-event.ts';

/** All events up to the cursor have been received. */
export interface Position {
  readonly position: string;
}

interface Received {
  readonly event: ChangeEvent<unknown> | FailedEvent | SnapshotMarker;
  /** Whether it must be delivered together with the next one; so must the beginning of a snapshot. */
  readonly more: boolean;
}

/** Members of `extensions.live` of a result; see gateway/docs/live-protocol.md. */
interface LiveExtension {
  readonly cursor?: string | null;
  readonly conflated?: number;
  readonly more?: boolean;
  readonly snapshot?: SnapshotMarker['snapshot'];
}

/** Reads a message of a stream. Undefined if it says nothing that this client knows. */
export function readMessage(result: OperationResult): Position | Received | undefined {
  const { data = null, errors, extensions } = result;
  const { live } = (extensions ?? {}) as { readonly live?: LiveExtension };
  const { cursor = null, conflated = 0, more = false, snapshot } = live ?? {};
  if (snapshot) return { event: markerOf(snapshot), more: snapshot.phase === 'begin' };
  if (data === null && !errors) return cursor === null ? undefined : { position: cursor };
  return { event: { data, cursor, conflated, errors } as Received['event'], more };
}

export const markerOf = (snapshot: SnapshotMarker['snapshot']): SnapshotMarker => ({
  data: null,
  cursor: null,
  conflated: 0,
  snapshot,
});
