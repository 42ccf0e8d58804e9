import type { ListChange, LiveListOptions } from './live-list-options.ts';

/** Number of entries that are kept though they are not shown. Older ones are forgotten, except while a page is being read. */
const HIDDEN_ENTRIES = 10_000;
const DEFAULT_LIMIT = 1_000;
/** Version of an entry before it is read, and after a reset. */
const FORGOTTEN = Number.NEGATIVE_INFINITY;

/** How a list identifies, filters and orders its items. */
export type ListRules<TItem> = Pick<
  LiveListOptions<TItem, never, never, never, never>,
  'id' | 'version' | 'matches' | 'compare' | 'limit'
>;

/** A page that is being read. */
export interface PageRequest {
  /** Where the page begins; null for the first page. */
  readonly after: string | null;
  /** Number of snapshots that had begun when the page was requested. */
  readonly snapshot: number;
}

export interface PageRows<TItem> {
  readonly items: readonly TItem[];
  readonly endCursor?: string | null | undefined;
  readonly hasNextPage?: boolean | undefined;
}

/**
 * The state of an id.
 * - shown: `item` is in the list.
 * - beyond: `item` matches, but follows the last loaded page.
 * - absent: `item` is null.
 */
interface Entry<TItem> {
  version: number;
  item: TItem | null;
  shown: boolean;
  /**
   * Why the item is null. A page of the same version shows an `unmatched` item, and an event of the same
   * version an `unnamed` one. `deleted` needs a higher version.
   */
  absence: 'deleted' | 'unmatched' | 'unnamed' | null;
  /** The last snapshot that had begun when the entry was read. */
  snapshot: number;
}

/**
 * Merges pages, events and snapshots, in any order in which they can arrive, into the rows that the query
 * would return now. Each id keeps its highest version, also when its item is deleted or does not match.
 *
 * The list shows a window: all matching items up to the last row of the last page. An item that an event
 * moves beyond this row is kept, because the next page may have been read before that event.
 */
export class ListModel<TItem> {
  readonly #rules: ListRules<TItem>;
  readonly #maxHidden: number;
  readonly #known = new Map<string, Entry<TItem>>();
  /** The entries that are shown, in order. */
  #shown: Entry<TItem>[] = [];
  /** Last row of the window; undefined before the first page, and when all rows are loaded. */
  #last: TItem | undefined;
  #endCursor: string | null = null;
  #hasMore = false;
  #rowsOfPages = 0;
  #pagesInFlight = 0;
  #snapshot = 0;
  #inSnapshot = false;
  /** Whether versions were forgotten, and no complete snapshot has followed. */
  #isReset = false;

  /** @param maxHidden number of entries that are kept though they are not shown */
  constructor(rules: ListRules<TItem>, maxHidden: number = HIDDEN_ENTRIES) {
    this.#rules = rules;
    this.#maxHidden = maxHidden;
  }

  get hasMore(): boolean {
    return this.#hasMore;
  }

  get size(): number {
    return this.#shown.length;
  }

  /** Number of entries that are kept though they are not shown. */
  get hiddenEntries(): number {
    return this.#known.size - this.#shown.length;
  }

  items(): TItem[] {
    return this.#shown.map(({ item }) => item as TItem);
  }

  /** Begins to read the next page. `endPage` or `cancelPage` must follow. */
  beginPage(): PageRequest {
    this.#pagesInFlight += 1;
    return { after: this.#endCursor, snapshot: this.#snapshot };
  }

  cancelPage(): void {
    this.#pagesInFlight -= 1;
    this.#forgetHidden();
  }

  /**
   * Merges a page.
   * @returns the number of rows that are shown now and were not before; undefined if the page must be requested
   * again: a snapshot has begun since, so the rows of the page may not match any more, or the list
   * has dropped the item after which the page begins
   */
  endPage(request: PageRequest, page: PageRows<TItem>): number | undefined {
    this.#pagesInFlight -= 1;
    if (request.snapshot !== this.#snapshot || request.after !== this.#endCursor) {
      this.#forgetHidden();
      return undefined;
    }
    const before = this.#shown.length;
    this.#rowsOfPages += page.items.length;
    this.#hasMore = page.hasNextPage === true;
    this.#endCursor = this.#hasMore ? (page.endCursor ?? null) : null;
    const last = page.items.at(-1);
    if (!this.#hasMore) this.#last = undefined;
    else if (this.#last === undefined || (last && this.#order(last, this.#last) > 0))
      this.#last = last;
    for (const row of page.items) this.#mergeRow(row);
    if (this.#rules.compare) this.#showWindow();
    this.#forgetHidden();
    return this.#shown.length - before;
  }

  /** Applies a change or a row of a snapshot. */
  apply({ item, deleted = false }: ListChange<TItem>): void {
    const key = this.#rules.id(item);
    const version = this.#rules.version(item);
    const entry = this.#known.get(key) ?? createEntry();
    if (!deleted) entry.snapshot = this.#snapshot;
    if (version < entry.version) return;
    if (version === entry.version && isRepeat(entry, deleted)) return;
    entry.version = version;
    // Moves the entry to the end of the map: the oldest entries are forgotten first.
    this.#known.delete(key);
    this.#known.set(key, entry);
    if (deleted) this.#hide(entry, 'deleted');
    else if (this.#rules.matches?.(item) === false) this.#hide(entry, 'unmatched');
    else this.#place(entry, item);
    this.#trim();
    this.#forgetHidden();
  }

  /** @param reset whether the rows that follow may have lower versions than the known ones */
  beginSnapshot(reset: boolean): void {
    this.#snapshot += 1;
    this.#inSnapshot = true;
    if (!reset) return;
    this.#isReset = true;
    for (const [key, entry] of this.#known) {
      if (entry.shown) entry.version = FORGOTTEN;
      else this.#known.delete(key);
    }
  }

  /**
   * @param complete whether items that were not named since the beginning do not exist any more
   * @returns false if the list must be loaded again: items from before a reset may not exist any more
   */
  endSnapshot(complete: boolean): boolean {
    if (!this.#inSnapshot) return true;
    this.#inSnapshot = false;
    if (!complete) return !this.#isReset;
    this.#isReset = false;
    for (const entry of this.#known.values()) {
      if (entry.item === null || entry.snapshot === this.#snapshot) continue;
      entry.item = null;
      entry.shown = false;
      entry.absence = 'unnamed';
    }
    this.#shown = this.#shown.filter(({ shown }) => shown);
    this.#forgetHidden();
    return true;
  }

  /** The server has decided that a row matches and where it is, so neither is checked. */
  #mergeRow(row: TItem): void {
    const key = this.#rules.id(row);
    const version = this.#rules.version(row);
    const entry = this.#known.get(key) ?? createEntry();
    this.#known.set(key, entry);
    entry.snapshot = this.#snapshot;
    if (version > entry.version || (version === entry.version && entry.absence === 'unmatched')) {
      entry.version = version;
      if (entry.shown && entry.item !== null && this.#order(entry.item, row) === 0)
        entry.item = row;
      else this.#show(entry, row, this.#shown.length);
    } else if (entry.item !== null && !entry.shown && this.#order(entry.item, row) === 0) {
      this.#show(entry, entry.item, this.#shown.length);
    }
  }

  /** Shows an item that an event has brought, unless it follows the last loaded page. */
  #place(entry: Entry<TItem>, item: TItem): void {
    if (entry.item !== null && this.#order(entry.item, item) === 0) entry.item = item;
    else if (this.#inWindow(item)) this.#show(entry, item, 0);
    else {
      this.#hide(entry, null);
      entry.item = item;
    }
  }

  /** Shows the items that events have brought, and that the window contains since it has grown. */
  #showWindow(): void {
    for (const entry of this.#known.values()) {
      const { item, shown } = entry;
      if (!shown && item !== null && this.#inWindow(item)) this.#show(entry, item, 0);
    }
  }

  /** @param index where the item is inserted if the list has no order of its own */
  #show(entry: Entry<TItem>, item: TItem, index: number): void {
    this.#hide(entry, null);
    entry.item = item;
    entry.shown = true;
    this.#shown.splice(this.#rules.compare ? this.#indexAfter(item) : index, 0, entry);
  }

  #hide(entry: Entry<TItem>, absence: Entry<TItem>['absence']): void {
    if (entry.shown) this.#shown.splice(this.#shown.indexOf(entry), 1);
    entry.shown = false;
    entry.item = null;
    entry.absence = absence;
  }

  /** Drops the last items, so that a list whose stream brings ever new items does not grow indefinitely. */
  #trim(): void {
    const limit = Math.max(this.#rules.limit ?? DEFAULT_LIMIT, 2 * this.#rowsOfPages, 1);
    while (this.#shown.length > limit) {
      const entry = this.#shown.pop();
      if (entry) entry.shown = false;
      this.#last = this.#shown.at(-1)?.item ?? undefined;
      this.#hasMore = true;
      // No cursor of this position is known, so the pages are read again from the first one.
      this.#endCursor = null;
    }
  }

  /** Forgets the oldest entries that are not shown. A page that is being read may still need them. */
  #forgetHidden(): void {
    let hidden = this.hiddenEntries;
    if (this.#pagesInFlight > 0 || hidden <= 1.25 * this.#maxHidden) return;
    for (const [key, { shown }] of this.#known) {
      if (hidden <= this.#maxHidden) break;
      if (shown) continue;
      this.#known.delete(key);
      hidden -= 1;
    }
  }

  #inWindow(item: TItem): boolean {
    return this.#last === undefined || this.#order(item, this.#last) <= 0;
  }

  /** 0 without an order: items stay where they are, and the window contains everything. */
  #order(a: TItem, b: TItem): number {
    return this.#rules.compare?.(a, b) ?? 0;
  }

  /** Returns the index after all items that do not follow the given one. */
  #indexAfter(item: TItem): number {
    let low = 0;
    let high = this.#shown.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#shown[middle]?.item as TItem;
      if (this.#order(other, item) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function createEntry<TItem>(): Entry<TItem> {
  return { version: FORGOTTEN, item: null, shown: false, absence: null, snapshot: 0 };
}

/** Whether an event of the entry's own version changes nothing. */
function isRepeat({ item, absence }: Entry<unknown>, deleted: boolean): boolean {
  return deleted ? absence === 'deleted' : item !== null || absence !== 'unnamed';
}
