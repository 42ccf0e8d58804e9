import type { ClientError } from '../client-error.ts';
import type { LiveDocument } from '../document.ts';
import type { ConnectionState } from '../live-client.ts';

/** The query and the stream of a live list, and the identity and order of its items. */
export interface LiveListOptions<TItem, TPage, TPageVariables, TEvent, TEventVariables> {
  /** The query of one page. It selects the stream's current cursor in the same operation as the items. */
  readonly query: LiveDocument<TPage, TPageVariables>;
  /** Variables of the query, without `pageVariable`. */
  readonly variables?: NoInfer<TPageVariables> | undefined;
  /** Reads a page from the query's data. */
  readonly page: (data: TPage) => ListPage<TItem>;
  /** The stream of changes. Its items have the same fields as the query's. */
  readonly subscription: LiveDocument<TEvent, TEventVariables>;
  /** Variables of the subscription, without its cursor. */
  readonly subscriptionVariables?: NoInfer<TEventVariables> | undefined;
  /** Reads a change from an event of the stream. Returns null for an event that does not concern the list. */
  readonly event: (data: TEvent) => ListChange<NoInfer<TItem>> | null;
  /** Identifies an item. */
  readonly id: (item: TItem) => string;
  /** The item's version: a number that grows with each change of the item. */
  readonly version: (item: TItem) => number;
  /** Whether an item belongs to the list, with the same meaning as the query's filter. Default: all do. */
  readonly matches?: ((item: TItem) => boolean) | undefined;
  /**
   * The query's order, as for `Array.prototype.sort`. It returns 0 if the fields that the app has do not
   * decide. Default: items keep the order of their pages, and an item that arrives by the stream is first.
   */
  readonly compare?: ((a: TItem, b: TItem) => number) | undefined;
  /**
   * Number of items above which the list drops its last ones when the stream brings others; `hasMore` is then
   * true. A list may hold twice as many items as its pages had. Default: 1,000.
   */
  readonly limit?: number | undefined;
  /** Name of the variable that takes a page's `endCursor`. Default: `after`. */
  readonly pageVariable?: string | undefined;
}

/** One page of a query. */
export interface ListPage<TItem> {
  readonly items: readonly TItem[];
  /** Position of the stream, read before the items, such as `stockCursor`. */
  readonly cursor: string;
  /** Position of the last item among the pages, such as `pageInfo.endCursor`; null if the page is empty. */
  readonly endCursor?: string | null | undefined;
  /** Whether more items follow this page. Default: false. */
  readonly hasNextPage?: boolean | undefined;
}

/** A change of one item. */
export interface ListChange<TItem> {
  readonly item: TItem;
  /** Whether the item was deleted. Default: false. */
  readonly deleted?: boolean | undefined;
}

/** The state of a live list. The same object is returned until something changes. */
export interface ListState<TItem> {
  readonly items: readonly TItem[];
  /** Whether the query has more items than are loaded. */
  readonly hasMore: boolean;
  /** State of the list's stream; `connecting` while the first page is loaded. */
  readonly state: ConnectionState;
  /** The error that stopped the list or `loadMore`; null while all is well, or while the list retries. */
  readonly error: ClientError | null;
  /** Whether a page is being loaded. */
  readonly loading: boolean;
}

/** A list that stays current until it is closed. */
export interface LiveList<TItem> {
  get(): ListState<TItem>;
  /** Calls the listener after each change of the state. Returns a function that removes the listener. */
  subscribe(listener: () => void): () => void;
  /** Loads the next page, if there is one. It never rejects: the state contains the error. */
  loadMore(): Promise<void>;
  /** Loads the list again, as many items as before, and shows the earlier items until then. */
  restart(): void;
  /** Ends the stream and removes all listeners. The last state remains readable. */
  close(): void;
}
