import type { ChangeLog, LoggedChange } from './change-log.ts';
import type { Cursor } from './cursor.ts';
import type { Watch, Watchers } from './watchers.ts';

/**
 * Maximum time that `openWatch` waits for this replica to reach a cursor that was issued by a replica
 * ahead of it, in milliseconds.
 */
const AHEAD_LIMIT_MS = 5_000;

const NEVER = new AbortController().signal;

/** A watch and the way in which it starts. */
export interface OpenedWatch extends Watch {
  /**
   * - `live`: the watch starts with the next change.
   * - `replay`: the watch starts with the changes since the cursor.
   * - `snapshot`: the changes since the cursor are not available. The caller sends the stored state
   *   first, then the watch's changes.
   */
  readonly start: 'live' | 'replay' | 'snapshot';
  /** The changes with which a replay starts, and the offset after the last change that the feed had read. */
  readonly replayed?: { readonly changes: readonly LoggedChange[]; readonly end: number };
}

/** The parts of a feed that `openWatch` needs. */
export interface FeedReader {
  readonly changes: Pick<ChangeLog, 'epoch' | 'next' | 'since'>;
  readonly watchers: Pick<Watchers, 'watch'>;
  /**
   * Resolves when the feed has read all records that the topic contained at the start, or when the signal
   * is aborted.
   */
  readonly caughtUp: (signal: AbortSignal) => Promise<void>;
  /** Resolves when the feed has read up to an offset, or when the signal is aborted. */
  readonly reached: (offset: number, signal: AbortSignal) => Promise<void>;
}

/** Watches the changes since a cursor; see `ChangeFeed.open`. */
export async function openWatch(
  { changes, watchers, caughtUp, reached }: FeedReader,
  keys: readonly string[] | undefined,
  after: Cursor | undefined,
  left: AbortSignal = NEVER,
): Promise<OpenedWatch> {
  await caughtUp(left);
  if (after === undefined) return { ...watchers.watch(keys), start: 'live' };
  const offset = after.epoch === changes.epoch ? after.offset : null;
  const needed = Math.max(offset ?? 0, after.snapshot?.seen ?? 0);
  if (offset !== null && needed > changes.next) {
    await reached(needed, AbortSignal.any([left, AbortSignal.timeout(AHEAD_LIMIT_MS)]));
  }
  // Check the epoch again: it may have changed during the wait.
  const canReplay = offset !== null && needed <= changes.next && after.epoch === changes.epoch;
  const matching = canReplay ? changes.since(offset, keys) : undefined;
  if (matching === undefined) return { ...watchers.watch(keys), start: 'snapshot' };
  const watch = watchers.watch(keys, matching, after.snapshot !== undefined);
  return { ...watch, start: 'replay', replayed: { changes: matching, end: changes.next } };
}
