import type { OperationResult } from '../connection/link.ts';
import type { ChangeEvent, FailedEvent, LiveEvent, SnapshotMarker } from '../live-event.ts';

/** All events up to the cursor have been received. */
export interface Position {
  readonly position: string;
}

/** Members of `extensions.live` of a result; see docs/live-protocol.md. */
interface LiveExtension {
  readonly cursor?: string | null;
  readonly conflated?: number;
  readonly snapshot?: SnapshotMarker['snapshot'];
}

/** Reads a message of a stream. Undefined if it says nothing that this client knows. */
export function readMessage(result: OperationResult): LiveEvent<unknown> | Position | undefined {
  const { data = null, errors, extensions } = result;
  const { live } = (extensions ?? {}) as { readonly live?: LiveExtension };
  const { cursor = null, conflated = 0, snapshot } = live ?? {};
  if (snapshot) {
    const { phase, complete, reset } = snapshot;
    return { data: null, cursor: null, conflated: 0, snapshot: { phase, complete, reset } };
  }
  if (data === null && !errors) return cursor === null ? undefined : { position: cursor };
  return { data, cursor, conflated, errors } as ChangeEvent<unknown> | FailedEvent;
}
