import { ClientError } from '../client-error.ts';
import { watchPage } from '../connection/page-events.ts';
import { RetryTimer } from '../connection/retry-timer.ts';
import type { Variables } from '../document.ts';
import type { ConnectionState, LiveClient } from '../live-client.ts';
import type { LiveEvent } from '../live-event.ts';
import { ListModel } from './list-model.ts';
import type { ListPage, LiveListOptions } from './live-list-options.ts';

export type ListOptions<TItem> = LiveListOptions<TItem, unknown, Variables, unknown, Variables>;

export interface ListRunOptions<TItem> {
  readonly client: LiveClient;
  readonly list: ListOptions<TItem>;
  readonly onChange: () => void;
  /** The run has ended with an error. If the error is retryable, the list can be loaded again. */
  readonly onEnd: (error: ClientError) => void;
}

/**
 * Loads a list once and follows its stream. It never continues a list that may have missed a change: it ends.
 *
 * - `loading`: reads the first pages, again and again while the server is unavailable. → `following`
 * - `following`: the stream, from the first page's cursor on, and further pages change the model. → `ended`
 * - `ended`: stopped, or the server has rejected an operation.
 */
export class ListRun<TItem> {
  readonly model: ListModel<TItem>;
  readonly #options: ListRunOptions<TItem>;
  readonly #stopped = new AbortController();
  readonly #retry = new RetryTimer(() => this.#resume?.());
  /** Continues after a pause. */
  #resume: (() => void) | undefined;
  #isFollowing = false;
  #state: ConnectionState = 'connecting';
  #error: ClientError | null = null;
  /** The pages that are being read. */
  #pages: Promise<void> | undefined;

  constructor(options: ListRunOptions<TItem>) {
    this.#options = options;
    this.model = new ListModel(options.list);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Why the last page could not be read. */
  get error(): ClientError | null {
    return this.#error;
  }

  get isLoading(): boolean {
    return this.#pages !== undefined;
  }

  /** Loads at least this number of items, if there are so many, and follows the stream. It never rejects. */
  start(items: number): Promise<void> {
    return this.#read(async () => {
      const { cursor } = await this.#readPage();
      if (typeof cursor !== 'string') throw badData('`page` returns no `cursor` of the stream');
      this.#follow(cursor);
      while (this.model.hasMore && this.model.size < items) await this.#readPage();
    }, this.#options.onEnd);
  }

  /** Loads a page with rows that are not shown yet, if there is one. It never rejects. */
  async loadMore(): Promise<void> {
    if (!this.isLoading && !this.model.hasMore) return;
    await this.#read(
      async () => {
        let added = 0;
        while (this.model.hasMore && added === 0) added = (await this.#readPage()).added;
      },
      (error) => {
        this.#error = error;
      },
    );
  }

  stop(): void {
    this.#stopped.abort();
    this.#resume?.();
  }

  #read(pages: () => Promise<void>, onError: (error: ClientError) => void): Promise<void> {
    if (this.#pages !== undefined) return this.#pages;
    const { onChange } = this.#options;
    this.#error = null;
    this.#pages = pages()
      .catch((error: unknown) => {
        if (!this.#stopped.signal.aborted) onError(toClientError(error));
      })
      .then(() => {
        this.#pages = undefined;
        onChange();
      });
    onChange();
    return this.#pages;
  }

  /** @throws {ClientError} if the server rejects the query */
  async #readPage(): Promise<ListPage<TItem> & { readonly added: number }> {
    for (;;) {
      const request = this.model.beginPage();
      const page = await this.#query(request.after).catch((error: unknown) => {
        this.model.cancelPage();
        if (!isTemporary(error) || this.#stopped.signal.aborted) throw error;
        return this.#pause(error);
      });
      const added = page && this.model.endPage(request, page);
      if (page && added !== undefined) return { ...page, added };
    }
  }

  async #query(after: string | null): Promise<ListPage<TItem>> {
    const { client, list } = this.#options;
    const { signal } = this.#stopped;
    const position = after === null ? undefined : { [list.pageVariable ?? 'after']: after };
    signal.throwIfAborted();
    const data = await client.query(list.query, { ...list.variables, ...position }, { signal });
    signal.throwIfAborted();
    this.#retry.succeed();
    return list.page(data);
  }

  /** Waits before the next attempt, or until the page is shown or the device is online again. */
  async #pause(error: ClientError): Promise<undefined> {
    if (!this.#isFollowing) this.#show(error.code === 'UNAUTHENTICATED' ? 'refused' : 'offline');
    const unwatch = watchPage(() => this.#resume?.());
    await new Promise<void>((resolve) => {
      this.#resume = resolve;
      this.#retry.fail();
    });
    unwatch();
    this.#retry.stop();
  }

  #follow(after: string): void {
    const { client, list } = this.#options;
    this.#isFollowing = true;
    client.subscribe(list.subscription, list.subscriptionVariables, {
      after,
      signal: this.#stopped.signal,
      next: (event) => this.#next(event),
      state: (state) => this.#show(state),
      error: (error) => this.#end(error),
      complete: () => this.#end(loadAgain('The server has ended the stream')),
    });
  }

  #next(event: LiveEvent<unknown>): void {
    try {
      if (event.snapshot) this.#mark(event.snapshot);
      else if (event.data !== null) this.#apply(event.data);
    } catch (error) {
      // Where a field has an error, there may be null in the place of the item.
      if (!event.errors) this.#end(toClientError(error));
    }
    if (event.errors) this.#end(loadAgain('A change could not be read completely'));
    this.#options.onChange();
  }

  #apply(data: unknown): void {
    const change = this.#options.list.event(data);
    if (change) this.model.apply(change);
    if (this.model.size === 0 && this.model.hasMore) void this.loadMore();
  }

  #mark({ phase, complete, reset }: NonNullable<LiveEvent<unknown>['snapshot']>): void {
    let isSound = true;
    if (phase === 'end') isSound = this.model.endSnapshot(complete);
    else {
      this.model.beginSnapshot(reset);
      isSound = complete || !reset;
    }
    if (!isSound) this.#end(loadAgain('The snapshot does not name all rows'));
  }

  #end(error: ClientError): void {
    if (!this.#stopped.signal.aborted) this.#options.onEnd(error);
  }

  #show(state: ConnectionState): void {
    this.#state = state;
    if (state === 'live') this.#resume?.();
    this.#options.onChange();
  }
}

/** Whether the same operation may succeed later. */
export function isTemporary(error: unknown): error is ClientError {
  if (!(error instanceof ClientError)) return false;
  return error.retryable || TEMPORARY.includes(error.code);
}

/** `UNAUTHENTICATED`: the app may have another token later. `CURSOR_EXPIRED`: a new page has a new cursor. */
const TEMPORARY = [
  'UNAUTHENTICATED',
  'CURSOR_EXPIRED',
  'UNAVAILABLE',
  'OVERLOADED',
  'RATE_LIMITED',
];

function loadAgain(message: string): ClientError {
  return new ClientError(`${message}; the list is loaded again`, {
    code: 'LIST_INCOMPLETE',
    retryable: true,
  });
}

function badData(message: string, cause?: unknown): ClientError {
  return new ClientError(message, { code: 'BAD_LIST', cause });
}

function toClientError(error: unknown): ClientError {
  if (error instanceof ClientError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return badData(`A function of the list's options has failed: ${message}`, error);
}
