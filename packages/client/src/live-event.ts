import type { GraphQLErrorLike } from './client-error.ts';

/** A message of a live stream. `data` is null in a marker and in a failed event. */
export type LiveEvent<TData> = ChangeEvent<TData> | FailedEvent | SnapshotMarker;

/** A change, or a row of a snapshot. */
export interface ChangeEvent<TData> {
  readonly data: TData;
  /**
   * Position after this event: a subscription with `after` set to it receives everything later. Null
   * if the stream has no cursors.
   */
  readonly cursor: string | null;
  /** Number of earlier events of the same key that this event replaces. */
  readonly conflated: number;
  /** Errors of single fields, which are null in `data`. Undefined if there are none. */
  readonly errors?: readonly GraphQLErrorLike[] | undefined;
  readonly snapshot?: undefined;
}

/** A change whose data could not be read. Read the list again, or show the errors. */
export interface FailedEvent {
  readonly data: null;
  readonly cursor: string | null;
  readonly conflated: number;
  readonly errors: readonly GraphQLErrorLike[];
  readonly snapshot?: undefined;
}

/**
 * The beginning or the end of a snapshot: the current state of the rows, sent because the changes since
 * the cursor are no longer available. A second `begin` replaces the first one. An `end` follows only a
 * `begin` of the same subscription, also if the connection was lost in between.
 */
export interface SnapshotMarker {
  readonly data: null;
  readonly cursor: null;
  readonly conflated: 0;
  readonly errors?: undefined;
  readonly snapshot: {
    readonly phase: 'begin' | 'end';
    /** At the end: whether rows that were not named since the beginning do not exist any more. */
    readonly complete: boolean;
    /** At the beginning: whether versions that were received earlier no longer count. */
    readonly reset: boolean;
  };
}
