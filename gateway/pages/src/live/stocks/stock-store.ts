import { createSignal, type Signal } from '../../signal.ts';
import { note, type StockHistory, startHistory } from './stock-history.ts';

/** A state of a stock, from a query or a change. */
export interface StockState {
  readonly id: string;
  readonly name: string;
  readonly quantity: number;
  /** Grows by 1 with each change: the highest is the newest. */
  readonly version: number;
  /** Deleted: its version counts, so that older states do not bring it back. */
  readonly gone?: boolean;
}

export interface ShownStock extends StockState {
  /** What the last change on the screen added; 0 before the first. */
  readonly delta: number;
  /** Grows with each change on the screen: a new flash begins. */
  readonly flash: number;
  readonly history: StockHistory;
}

/** All stocks, outside React: a component follows one stock, or which ones there are. */
export interface StockStore {
  /** Ids by name; a new array when stocks come, go or are renamed. */
  readonly ids: Signal<readonly string[]>;
  readonly get: (id: string) => ShownStock | undefined;
  /** @returns how to stop listening */
  readonly subscribe: (id: string, listener: () => void) => () => void;
  /**
   * Takes states over that are newer than what is shown, and tells each listener once.
   * @param live false for states of a query, which are no change to point out
   * @returns the stocks whose quantity moved on the screen
   */
  readonly apply: (states: Iterable<StockState>, live: boolean) => ShownStock[];
}

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

export function createStockStore(now: () => number = () => Date.now() / 1000): StockStore {
  const shown = new Map<string, ShownStock>();
  const newest = new Map<string, number>();
  const listeners = new Map<string, Set<() => void>>();
  const ids = createSignal<readonly string[]>([]);

  const compare = (a: StockState, b: StockState): number =>
    collator.compare(a.name, b.name) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

  /** Where a stock stands or would stand: sorting all again for each new one would cost 10 ms. */
  const placeOf = (stock: StockState, sorted: readonly string[]): number => {
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

  const apply: StockStore['apply'] = (states, live) => {
    const moved: ShownStock[] = [];
    const touched = new Set<string>();
    let sorted: string[] | undefined;
    for (const state of states) {
      const { id, name, quantity, version, gone = false } = state;
      if (version <= (newest.get(id) ?? -1)) continue;
      newest.set(id, version);
      const before = shown.get(id);
      touched.add(id);
      if (before && (gone || before.name !== name)) {
        sorted ??= [...ids.get()];
        sorted.splice(placeOf(before, sorted), 1);
        shown.delete(id);
      }
      if (gone) continue;
      const history = before?.history ?? startHistory(quantity, now());
      const delta = before ? quantity - before.quantity : 0;
      if (before) note(history, quantity, now());
      const flashes = live && (!before || delta !== 0);
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
        sorted.splice(placeOf(after, sorted), 0, id);
      }
      shown.set(id, after);
      if (flashes) moved.push(after);
    }
    if (sorted) ids.set(sorted);
    for (const id of touched) for (const listener of listeners.get(id) ?? []) listener();
    return moved;
  };

  return {
    ids,
    apply,
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
