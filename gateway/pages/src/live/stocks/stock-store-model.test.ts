import { expect, test } from 'vitest';
import { createStockStore, type StockState } from './stock-store.ts';

const RUNS = 300;
const STEPS = 60;
const IDS = ['a', 'b', 'c', 'd', 'e'];

/** Returns a reproducible function that picks a number from 0 to below a limit. */
function createPick(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

/** A database of stocks with its stream, and a store that is fed with its answers and events. */
class Model {
  readonly store = createStockStore(() => 0);
  readonly #seed: number;
  readonly #pick: (limit: number) => number;
  readonly #rows = new Map<string, StockState>();
  /** Changes that the stream has not delivered yet. */
  #pending: StockState[] = [];
  /** Highest version shown of each stock since the last reset. */
  readonly #shown = new Map<string, number>();

  constructor(seed: number) {
    this.#seed = seed;
    this.#pick = createPick(seed);
    for (let count = this.#pick(20); count > 0; count -= 1) this.change();
    const page = [...this.#rows.values()].filter(({ isDeleted }) => !isDeleted);
    this.#pending = [];
    this.store.apply(page, false);
  }

  step(): void {
    const steps = [
      this.change,
      this.change,
      this.change,
      this.deliver,
      this.deliver,
      this.answer,
      this.page,
      this.snapshot,
      this.restore,
    ];
    steps[this.#pick(steps.length)]?.call(this);
    this.#check();
  }

  /** Adds, changes or deletes a stock. A stock that is added again continues its versions. */
  change(): StockState {
    const id = IDS[this.#pick(IDS.length)] ?? 'a';
    const before = this.#rows.get(id);
    const isDeleted = before !== undefined && !before.isDeleted && this.#pick(4) === 0;
    const changed = {
      id,
      name: `${this.#pick(3)}`,
      quantity: this.#pick(1_000),
      version: (before?.version ?? 0) + 1,
      isDeleted,
    };
    this.#rows.set(id, changed);
    this.#pending.push(changed);
    return changed;
  }

  /** Delivers the oldest changes; a newer change of the same stock may replace an older one. */
  deliver(): void {
    const delivered = this.#pending.splice(0, this.#pick(this.#pending.length + 1));
    const conflated = delivered.filter(
      ({ id }, index) =>
        this.#pick(2) === 0 || !delivered.slice(index + 1).some((later) => later.id === id),
    );
    this.store.apply(conflated, true);
  }

  /** The answer of a mutation arrives before its event. */
  answer(): void {
    this.store.apply([this.change()], true);
  }

  /** A page of a query, which is ahead of the stream. */
  page(): void {
    const rows = [...this.#rows.values()].filter(({ isDeleted }) => !isDeleted);
    this.store.apply(rows.slice(this.#pick(rows.length + 1)), false);
  }

  /** The stream continues with the present state instead of the changes that it has missed. */
  snapshot(): void {
    this.#sendSnapshot(false);
  }

  /** The database is restored to an earlier time. */
  restore(): void {
    for (const [id, row] of this.#rows) {
      const version = row.version - this.#pick(4);
      if (version <= 0) this.#rows.delete(id);
      else this.#rows.set(id, { ...row, version, quantity: this.#pick(1_000) });
    }
    this.#shown.clear();
    this.#sendSnapshot(true);
  }

  #sendSnapshot(reset: boolean): void {
    this.#pending = [];
    this.store.beginSnapshot(reset);
    const rows = [...this.#rows.values()];
    for (const row of rows) {
      // A complete snapshot need not name a stock that was deleted long ago.
      if (row.isDeleted && this.#pick(2) === 0) continue;
      this.store.apply([row], true);
      if (this.#pick(4) === 0) this.change();
      if (this.#pick(6) === 0) this.answer();
    }
    this.store.endSnapshot(true);
  }

  finish(): void {
    this.store.apply(this.#pending, true);
    this.#pending = [];
    const expected = [...this.#rows.values()].filter(({ isDeleted }) => !isDeleted);
    const shown = this.store.ids.get().map((id) => this.store.get(id));
    const plain = (states: readonly (StockState | undefined)[]) =>
      states.map((state) => `${state?.id} ${state?.name} ${state?.quantity} ${state?.version}`);
    expect(plain(shown).sort(), `seed ${this.#seed}`).toEqual(plain(expected).sort());
  }

  #check(): void {
    for (const id of this.store.ids.get()) {
      const version = this.store.get(id)?.version ?? 0;
      expect(version, `seed ${this.#seed}`).toBeGreaterThanOrEqual(this.#shown.get(id) ?? 0);
      this.#shown.set(id, version);
    }
  }
}

test('shows the database after any sequence of changes, answers, pages, snapshots and restores', () => {
  for (let seed = 1; seed <= RUNS; seed += 1) {
    const model = new Model(seed);
    for (let step = 0; step < STEPS; step += 1) model.step();
    model.finish();
  }
});
