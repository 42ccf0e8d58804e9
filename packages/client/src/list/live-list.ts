import type { ClientError } from '../client-error.ts';
import { RetryTimer } from '../connection/retry-timer.ts';
import type { Variables } from '../document.ts';
import type { ConnectionState, LiveClient } from '../live-client.ts';
import { FrameListeners } from './frame-listeners.ts';
import { isTemporary, type ListOptions, ListRun } from './list-run.ts';
import type { ListState, LiveList, LiveListOptions } from './live-list-options.ts';

/** Time after which a list counts as loaded for good, in ms: the delay before it is loaded again begins anew. */
const STABLE_MS = 10_000;

/**
 * Creates a list that stays current: a query's rows, page by page, and the changes of a stream. It is
 * loaded at once, and follows the stream until `close`.
 */
export function liveList<
  TItem,
  TPage,
  TPageVariables extends Variables,
  TEvent,
  TEventVariables extends Variables,
>(
  client: LiveClient,
  options: LiveListOptions<TItem, TPage, TPageVariables, TEvent, TEventVariables>,
): LiveList<TItem> {
  return new RunningList<TItem>(client, options as unknown as ListOptions<TItem>);
}

/**
 * Shows one run, and replaces it by another one if it ends or may have missed a change. Its items are shown
 * until the other run is loaded, unless they belong to another caller.
 */
class RunningList<TItem> implements LiveList<TItem> {
  readonly #client: LiveClient;
  readonly #options: ListOptions<TItem>;
  readonly #listeners = new FrameListeners();
  readonly #retry = new RetryTimer(() => this.#load(true));
  readonly #forgetIdentity: () => void;
  /** The newest run. */
  #run: ListRun<TItem>;
  /** The run whose items are shown. */
  #shown: ListRun<TItem>;
  #startedAt = 0;
  /** The error that has ended the newest run for good. */
  #error: ClientError | null = null;
  #state: ListState<TItem> | undefined;
  #isClosed = false;

  constructor(client: LiveClient, options: ListOptions<TItem>) {
    this.#client = client;
    this.#options = options;
    this.#run = this.#createRun();
    this.#shown = this.#run;
    this.#forgetIdentity = client.onIdentity(() => this.#load(false));
    this.#start(0);
  }

  readonly get = (): ListState<TItem> => {
    this.#state ??= {
      items: this.#shown.model.items(),
      hasMore: this.#shown.model.hasMore,
      state: this.#connectionState(),
      error: this.#error ?? this.#run.error,
      loading: this.#run.isLoading || this.#retry.isWaiting,
    };
    return this.#state;
  };

  readonly subscribe = (listener: () => void): (() => void) => this.#listeners.add(listener);

  readonly loadMore = async (): Promise<void> => {
    if (!this.#isClosed && !this.#error) await this.#run.loadMore();
  };

  readonly restart = (): void => {
    this.#retry.succeed();
    if (!this.#isClosed) this.#load(true);
  };

  readonly close = (): void => {
    if (this.#isClosed) return;
    this.#state = { ...this.get(), loading: false };
    this.#isClosed = true;
    this.#retry.stop();
    this.#run.stop();
    this.#shown.stop();
    this.#forgetIdentity();
    this.#listeners.clear();
  };

  #createRun(): ListRun<TItem> {
    const run: ListRun<TItem> = new ListRun<TItem>({
      client: this.#client,
      list: this.#options,
      onChange: () => this.#change(),
      onEnd: (error) => this.#end(run, error),
    });
    return run;
  }

  /** Loads the list again. @param keepsItems whether its items are shown until then, and as many are loaded */
  #load(keepsItems: boolean): void {
    this.#retry.stop();
    if (!keepsItems || this.#run !== this.#shown) this.#run.stop();
    if (!keepsItems) this.#shown.stop();
    this.#run = this.#createRun();
    if (!keepsItems) this.#shown = this.#run;
    this.#start(this.#shown.model.size);
  }

  #start(items: number): void {
    const run = this.#run;
    this.#error = null;
    this.#startedAt = Date.now();
    void run.start(items).then(() => {
      if (run !== this.#run || this.#error || this.#retry.isWaiting) return;
      if (this.#shown !== run) this.#shown.stop();
      this.#shown = run;
      this.#change();
    });
  }

  #end(run: ListRun<TItem>, error: ClientError): void {
    // The run before the newest one is still followed, but what it misses is in the newest one.
    if (run !== this.#run || this.#retry.isWaiting) return;
    if (Date.now() - this.#startedAt > STABLE_MS) this.#retry.succeed();
    if (isTemporary(error)) this.#retry.fail();
    else {
      this.#error = error;
      run.stop();
    }
    this.#change();
  }

  #connectionState(): ConnectionState {
    if (this.#error) return 'offline';
    const { state } = this.#run;
    return this.#run !== this.#shown && state !== 'refused' && state !== 'offline'
      ? 'catching-up'
      : state;
  }

  #change(): void {
    if (this.#isClosed) return;
    this.#state = undefined;
    this.#listeners.changed();
  }
}
