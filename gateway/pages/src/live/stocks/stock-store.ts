import { createSignal, type Signal } from '../../signal.ts';
import { addPoint, type StockHistory, startHistory } from './stock-history.ts';

/** State of a stock, from a query, a mutation or a change. */
export interface StockState {
  readonly id: string;
  readonly name: string;
  readonly quantity: number;
  /** Grows by 1 with each change; the state with the highest version is the newest. */
  readonly version: number;
  /** The store remembers the version of a deleted stock, so that older states do not restore it. */
  readonly isDeleted?: boolean;
}

export interface ShownStock extends StockState {
  /** Difference of the quantity at its last visible change; 0 before the first change. */
  readonly delta: number;
  /** Grows with each visible change; each value starts a new animation. */
  readonly flash: number;
  readonly history: StockHistory;
}

/** Holds all stocks, outside React. A component subscribes to one stock or to the list of ids. */
export interface StockStore {
  /** Ids sorted by name. The array is replaced when a stock is added, deleted or renamed. */
  readonly ids: Signal<readonly string[]>;
  readonly get: (id: string) => ShownStock | undefined;
  /** @returns a function that unsubscribes */
  readonly subscribe: (id: string, listener: () => void) => () => void;
  /**
   * Stores states with a higher version, and notifies each listener once.
   * @param isLive false for states of a query, which are not animated
   * @returns the stocks whose change is visible: new stocks, and stocks with another quantity
   */
  readonly apply: (states: Iterable<StockState>, isLive: boolean) => ShownStock[];
  /** Begins a snapshot. @param reset whether the versions so far do not count any more */
  readonly beginSnapshot: (reset: boolean) => void;
  /**
   * Ends the snapshot, if one was begun.
   * @param complete whether the stocks that no state has named since its beginning are gone
   */
  readonly endSnapshot: (complete: boolean) => void;
}

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

export function createStockStore(now: () => number = () => Date.now() / 1000): StockStore {
  const shown = new Map<string, ShownStock>();
  const newest = new Map<string, number>();
  const listeners = new Map<string, Set<() => void>>();
  const ids = createSignal<readonly string[]>([]);
  /** Ids of the states since the beginning of a snapshot; undefined if no snapshot is being received. */
  let named: Set<string> | undefined;

  const compare = (a: StockState, b: StockState): number =>
    collator.compare(a.name, b.name) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

  /**
   * Returns the index of a stock in the sorted ids, or the index at which the stock must be
   * inserted. Sorting all ids again would take 10 ms.
   */
  const indexOf = (stock: StockState, sorted: readonly string[]): number => {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = shown.get(sorted[middle] ?? '');
      if (other && compare(other, stock) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  const apply: StockStore['apply'] = (states, isLive) => {
    const moved: ShownStock[] = [];
    const touched = new Set<string>();
    let sorted: string[] | undefined;
    for (const state of states) {
      const { id, name, quantity, version, isDeleted = false } = state;
      named?.add(id);
      if (version <= (newest.get(id) ?? -1)) continue;
      newest.set(id, version);
      const before = shown.get(id);
      touched.add(id);
      if (before && (isDeleted || before.name !== name)) {
        sorted ??= [...ids.get()];
        sorted.splice(indexOf(before, sorted), 1);
        shown.delete(id);
      }
      if (isDeleted) continue;
      const history = before?.history ?? startHistory(quantity, now());
      const delta = before ? quantity - before.quantity : 0;
      if (before) addPoint(history, quantity, now());
      const flashes = isLive && (!before || delta !== 0);
      const after: ShownStock = {
        id,
        name,
        quantity,
        version,
        history,
        delta: delta === 0 ? (before?.delta ?? 0) : delta,
        flash: (before?.flash ?? 0) + (flashes ? 1 : 0),
      };
      if (!before || before.name !== name) {
        sorted ??= [...ids.get()];
        sorted.splice(indexOf(after, sorted), 0, id);
      }
      shown.set(id, after);
      if (flashes) moved.push(after);
    }
    if (sorted) ids.set(sorted);
    for (const id of touched) for (const listener of listeners.get(id) ?? []) listener();
    return moved;
  };

  /** Removes stocks and forgets their versions, because a change that adds one again may follow. */
  const remove = (gone: readonly string[]): void => {
    if (gone.length === 0) return;
    for (const id of gone) {
      shown.delete(id);
      newest.delete(id);
    }
    ids.set(ids.get().filter((id) => shown.has(id)));
    for (const id of gone) for (const listener of listeners.get(id) ?? []) listener();
  };

  return {
    ids,
    apply,
    beginSnapshot: (reset) => {
      named = new Set();
      if (reset) newest.clear();
    },
    endSnapshot: (complete) => {
      if (complete && named) remove([...shown.keys()].filter((id) => !named?.has(id)));
      named = undefined;
    },
    get: (id) => shown.get(id),
    subscribe: (id, listener) => {
      const all = listeners.get(id) ?? new Set();
      listeners.set(id, all.add(listener));
      return () => {
        all.delete(listener);
        if (all.size === 0 && listeners.get(id) === all) listeners.delete(id);
      };
    },
  };
}
