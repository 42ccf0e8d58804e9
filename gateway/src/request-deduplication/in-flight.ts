import type { AbortSignalLike } from './abort-signal.ts';
import type { Invalidation } from './invalidation.ts';
import { createRefCountedAbort, type OnAbort, type RefCountedAbort } from './ref-counted-abort.ts';

/** Work in progress that identical requests share. */
export interface InFlight<T> {
  /**
   * Joins the work of a key. Returns undefined if there is no such work, if all its waiters have
   * left, or if a mutation was answered or an event was received after the work started.
   * @param retry called once, if the joined work fails. The cause may be a property of the request
   * that started the work, such as its time of arrival.
   * @param own called once, if the result of the joined work belongs only to the request that started it.
   * It must start work that is not shared. Default: `retry`
   */
  readonly join: (
    key: string,
    onAbort: OnAbort | undefined,
    retry?: () => Promise<T>,
    own?: () => Promise<T>,
  ) => Promise<T> | undefined;
  /**
   * Shares work until it ends, or up to 10 ms longer.
   * @param abort counts the work's waiters, and aborts the work when the last one leaves
   * @param generation number of invalidations when the work started
   */
  readonly offer: (
    key: string,
    work: Promise<T>,
    abort: RefCountedAbort,
    generation: number,
  ) => void;
  /**
   * Joins the work of a key, or starts it and shares it. If the joined work fails, all requests that
   * joined it share one retry. If its result is private, each of them starts work of its own.
   * @param retries false for a request that is already a retry
   */
  readonly run: (
    key: string,
    onAbort: OnAbort | undefined,
    start: (signal: AbortSignalLike) => Promise<T>,
    retries?: boolean,
  ) => Promise<T>;
}

interface Offer<T> {
  readonly work: Promise<T>;
  readonly abort: RefCountedAbort;
  readonly generation: number;
  joined: boolean;
  /** Time at which sharing ends, in milliseconds of `performance.now()`. */
  until: number;
}

interface SharingRules<T> {
  /**
   * Whether a result may also be shared after its work has ended. Such a result is shared only if
   * other requests have joined the work. It is shared for as long as the work took, but at most
   * 10 ms, so it is no older than the result of a joined execution. Without this time, the last of
   * many clients that send the same query at once would start a second execution.
   */
  readonly lingers?: (result: T) => boolean;
  /**
   * Whether a result is a failure that another request might not have had. Work that rejects has
   * always failed.
   */
  readonly hasFailed?: (result: T) => boolean;
  /** Whether a result belongs only to the request that started the work. */
  readonly isPrivate?: (result: T) => boolean;
}

/** Maximum time for which a result is shared after its work has ended, in milliseconds. */
const MAX_LINGER_MS = 10;

/** Creates an empty registry of shared work. */
export function createInFlight<T>(
  { generation }: Pick<Invalidation, 'generation'>,
  { lingers = () => false, hasFailed = () => false, isPrivate }: SharingRules<T> = {},
): InFlight<T> {
  const offers = new Map<string, Offer<T>>();

  const join: InFlight<T>['join'] = (key, onAbort, retry, own = retry) => {
    const found = offers.get(key);
    if (found?.generation !== generation() || found.abort.signal.aborted) return undefined;
    if (found.until < performance.now()) return undefined;
    found.joined = true;
    if (!retry && !isPrivate) {
      found.abort.retain(onAbort);
      return found.work;
    }
    let hasLeft = false;
    found.abort.retain(
      onAbort &&
        ((leave) =>
          onAbort(() => {
            hasLeft = true;
            leave();
          })),
    );
    return found.work.then(
      (result) => {
        if (hasLeft) return result;
        if (own && isPrivate?.(result)) return own();
        return retry && hasFailed(result) ? retry() : result;
      },
      (error: unknown) => (hasLeft || !retry ? Promise.reject(error) : retry()),
    );
  };
  const offer: InFlight<T>['offer'] = (key, work, abort, started) => {
    const added: Offer<T> = { work, abort, generation: started, joined: false, until: Infinity };
    offers.set(key, added);
    const startedAt = performance.now();
    const end = (): void => {
      if (offers.get(key) === added) offers.delete(key);
    };
    work.then((result) => {
      const isShared = lingers(result) && !isPrivate?.(result);
      if (!added.joined || started !== generation() || !isShared) return end();
      const now = performance.now();
      const ms = Math.min(now - startedAt, MAX_LINGER_MS);
      added.until = now + ms;
      setTimeout(end, ms);
    }, end);
  };
  const begin = (
    key: string,
    onAbort: OnAbort | undefined,
    start: (signal: AbortSignalLike) => Promise<T>,
  ): Promise<T> => {
    const abort = createRefCountedAbort();
    abort.retain(onAbort);
    const work = start(abort.signal);
    offer(key, work, abort, generation());
    return work;
  };
  const beginOwn = (
    onAbort: OnAbort | undefined,
    start: (signal: AbortSignalLike) => Promise<T>,
  ): Promise<T> => {
    const abort = createRefCountedAbort();
    abort.retain(onAbort);
    return start(abort.signal);
  };
  return {
    join,
    offer,
    run: (key, onAbort, start, retries = true) => {
      const own = (): Promise<T> => beginOwn(onAbort, start);
      // The failed work is no longer offered when the first retry looks for work to join.
      const retry = (): Promise<T> =>
        join(key, onAbort, undefined, own) ?? begin(key, onAbort, start);
      return join(key, onAbort, retries ? retry : undefined, own) ?? begin(key, onAbort, start);
    },
  };
}
