/** A message of a live stream. */
export type LiveEvent<TData> = ChangeEvent<TData> | SnapshotMarker;

/** A change, or a row of a snapshot. */
export interface ChangeEvent<TData> {
  readonly data: TData;
  /** Position after this event. A subscription that starts after it receives everything later. */
  readonly cursor: string | null;
  /** Number of earlier events of the same key that this event replaces. */
  readonly conflated: number;
  readonly snapshot?: undefined;
}

/** The beginning or the end of a snapshot. */
export interface SnapshotMarker {
  readonly data: null;
  readonly cursor: null;
  readonly conflated: 0;
  readonly snapshot: {
    readonly phase: 'begin' | 'end';
    /** Whether rows that the snapshot does not name do not exist any more. */
    readonly complete: boolean;
    /** Whether versions that are known from before the snapshot no longer count. */
    readonly reset: boolean;
  };
}
