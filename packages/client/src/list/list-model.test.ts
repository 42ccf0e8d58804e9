import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Message, type Row, SimulatedGraph } from '../testing/simulated-graph.ts';
import { ListModel, type PageRequest, type PageRows } from './list-model.ts';

interface Scenario {
  readonly complete: boolean;
  readonly filtered: boolean;
  readonly ordered: boolean;
  readonly pageSize: number;
  readonly limit: number | undefined;
  /** Whether what is not shown is forgotten at once; otherwise pages may be older than events. */
  readonly forgetful: boolean;
  readonly before: readonly Omit<Row, 'version'>[];
  /** Number of changes between the first page's cursor and the reading of its rows. */
  readonly lag: number;
  readonly steps: readonly Step[];
}

type Step =
  | { readonly do: 'write'; readonly row: Omit<Row, 'version'> }
  | { readonly do: 'send'; readonly count: number; readonly conflated: boolean }
  | { readonly do: 'receive'; readonly messages: number }
  | { readonly do: 'cut' | 'restore' | 'read'; readonly changes: number }
  | { readonly do: 'expire' | 'request' | 'answer' };

const isRare = fc.nat(5).map((chance) => chance === 0);
const written = fc.record({
  id: fc.constantFrom(...'abcdefghijkl'),
  key: fc.nat(5),
  matching: isRare.map((rare) => !rare),
  deleted: isRare,
});
const weigh = (weight: number, arbitrary: fc.Arbitrary<Step>) => ({ weight, arbitrary });
const step: fc.Arbitrary<Step> = fc.oneof(
  weigh(8, fc.record({ do: fc.constant('write'), row: written })),
  weigh(4, fc.record({ do: fc.constant('send'), count: fc.nat(6), conflated: fc.boolean() })),
  weigh(4, fc.record({ do: fc.constant('receive'), messages: fc.nat(8) })),
  weigh(2, fc.record({ do: fc.constantFrom('cut', 'restore'), changes: fc.nat(5) })),
  weigh(3, fc.record({ do: fc.constant('read'), changes: fc.nat(3) })),
  weigh(8, fc.record({ do: fc.constantFrom('expire', 'request', 'answer', 'answer') })),
);
const scenario: fc.Arbitrary<Scenario> = fc.record({
  complete: fc.boolean(),
  filtered: fc.boolean(),
  ordered: fc.boolean(),
  pageSize: fc.integer({ min: 1, max: 3 }),
  limit: fc.constantFrom(undefined, 3),
  forgetful: fc.boolean(),
  before: fc.array(written, { minLength: 4, maxLength: 16, size: 'max' }),
  lag: fc.nat(3),
  steps: fc.array(step, { minLength: 20, maxLength: 80, size: 'max' }),
});

/** A list over a simulated graph. It checks after each message what a user would see. */
class Rig {
  readonly #graph: SimulatedGraph;
  readonly #model: ListModel<Row>;
  readonly #scenario: Scenario;
  /** The first page's cursor. */
  readonly #cursor: number;
  /** Messages that are on their way. */
  readonly #wire: Message[] = [];
  #page: { request: PageRequest; rows?: PageRows<Row> } | undefined;
  /** The highest version of each id that was shown since the last reset. */
  #seen = new Map<string, number>();
  /** Rows from before the reset are shown until the snapshot ends. */
  #isResetting = false;

  constructor(given: Scenario) {
    this.#scenario = given;
    this.#graph = new SimulatedGraph(given);
    const rules = {
      id: (item: Row) => item.id,
      version: (item: Row) => item.version,
      matches: (item: Row) => item.matching,
      compare: given.ordered ? (a: Row, b: Row) => a.key - b.key : undefined,
      limit: given.limit,
    };
    this.#model = new ListModel(rules, given.forgetful ? 0 : undefined);
    for (const row of given.before) this.#graph.write(row);
    this.#cursor = Math.max(0, this.#graph.now - given.lag);
    this.#graph.seek(this.#cursor);
    const rows = this.#graph.page(this.#graph.now, null, given.pageSize);
    this.#model.endPage(this.#model.beginPage(), rows);
  }

  run(next: Step): void {
    if (next.do === 'write') this.#graph.write(next.row);
    else if (next.do === 'send') this.#wire.push(...this.#graph.send(next.count, next.conflated));
    else if (next.do === 'receive') this.#receive(next.messages);
    else if (next.do === 'cut') this.#cut(next.changes);
    else if (next.do === 'restore') this.#graph.restore(next.changes);
    else if (next.do === 'expire') this.#wire.push(...this.#graph.expire());
    else if (next.do === 'request') this.#request();
    else if (next.do === 'read') this.#read(next.changes);
    else this.#answer();
  }

  /** Delivers everything that is on its way. */
  settle(): void {
    while (this.#graph.hasUnsent) this.#wire.push(...this.#graph.send(3, false));
    this.#receive(this.#wire.length);
    this.#answer();
  }

  loadMore(): void {
    this.#request();
    this.#answer();
  }

  get hasMore(): boolean {
    return this.#model.hasMore;
  }

  get items(): Row[] {
    return this.#model.items();
  }

  get expected(): Row[] {
    return this.#graph.rows();
  }

  #request(): void {
    if (!this.#model.hasMore || this.#page) return;
    this.#page = { request: this.#model.beginPage() };
  }

  /** Messages are sent again; a client that has forgotten their versions resumes without repetition. */
  #cut(changes: number): void {
    if (this.#wire.length === 0 && !this.#scenario.forgetful) this.#graph.cut(changes);
  }

  /** A request may be answered with the result of an earlier one: with a state that is a few changes old. */
  #read(changes: number): void {
    if (!this.#page || this.#page.rows) return;
    const stale = this.#scenario.filtered || this.#scenario.forgetful ? 0 : changes;
    const at = Math.max(this.#cursor, this.#graph.now - stale);
    this.#page.rows = this.#graph.page(at, this.#page.request.after, this.#scenario.pageSize);
  }

  #answer(): void {
    this.#read(0);
    if (!this.#page?.rows) return;
    const { request, rows } = this.#page;
    this.#page = undefined;
    this.#model.endPage(request, rows);
    this.#check();
  }

  #receive(messages: number): void {
    for (const message of this.#wire.splice(0, messages)) {
      if (message.begin) {
        if (message.begin.reset) this.#isResetting = true;
        this.#model.beginSnapshot(message.begin.reset);
      } else if (message.end) {
        if (this.#isResetting) this.#seen = new Map();
        this.#isResetting = false;
        this.#model.endSnapshot(message.end.complete);
      } else this.#model.apply(message.change);
      this.#check();
    }
  }

  #check(): void {
    const items = this.#model.items();
    for (const [index, { id, version, key }] of items.entries()) {
      // Not `expect`, which takes most of the time if it is called for each item.
      if (items.findIndex((item) => item.id === id) !== index) throw new Error(`two items ${id}`);
      const before = items[index - 1]?.key ?? 0;
      if (this.#scenario.ordered && before > key) throw new Error(`${id} is in the wrong place`);
      if (this.#isResetting) continue;
      const seen = this.#seen.get(id) ?? 0;
      if (version < seen) throw new Error(`${id} goes back from version ${seen} to ${version}`);
      this.#seen.set(id, version);
    }
  }
}

const byId = (rows: readonly Row[]) => rows.toSorted((a, b) => (a.id < b.id ? -1 : 1));

describe('ListModel', () => {
  it('equals the query after any sequence of changes, pages, snapshots, resets and cuts', () => {
    fc.assert(
      fc.property(scenario, (given) => {
        const rig = new Rig(given);
        for (const next of given.steps) rig.run(next);
        rig.settle();

        const last = rig.items.at(-1)?.key ?? Number.NEGATIVE_INFINITY;
        const window = rig.expected.filter(
          ({ key, id }) =>
            !rig.hasMore ||
            (given.ordered && key < last) ||
            rig.items.some((item) => item.id === id),
        );
        expect(byId(rig.items)).toEqual(byId(window));

        for (let pages = 0; rig.hasMore && pages < 20; pages += 1) rig.loadMore();
        expect(rig.hasMore).toBe(false);
        expect(byId(rig.items)).toEqual(byId(rig.expected));
      }),
      { seed: 19, numRuns: 1_000 },
    );
  }, 30_000);

  describe('with single changes', () => {
    const row = (id: string, version: number, key = 0, matching = true): Row => ({
      id,
      version,
      key,
      matching,
      deleted: false,
    });
    const create = (hiddenEntries?: number): ListModel<Row> =>
      new ListModel(
        {
          id: ({ id }) => id,
          version: ({ version }) => version,
          matches: ({ matching }) => matching,
          compare: (a, b) => a.key - b.key,
        },
        hiddenEntries,
      );
    const load = (model: ListModel<Row>, items: readonly Row[], endCursor?: string) =>
      model.endPage(model.beginPage(), { items, endCursor, hasNextPage: endCursor !== undefined });
    const ids = (model: ListModel<Row>) =>
      model
        .items()
        .map(({ id }) => id)
        .join('');

    it('shows an item that has moved into a page after this page was read', () => {
      const model = create();
      load(model, [row('a', 1, 1), row('b', 1, 2)], 'b');
      const request = model.beginPage();
      const page = { items: [row('c', 1, 3), row('d', 1, 5)], endCursor: 'd', hasNextPage: true };
      model.apply({ item: row('a', 2, 4) });
      expect(ids(model)).toBe('b');
      expect(model.endPage(request, page)).toBe(3);
      expect(ids(model)).toBe('bcad');
    });

    it('does not show a deleted item again if a page or an event repeats its version', () => {
      const model = create();
      load(model, [row('a', 1)], 'a');
      model.apply({ item: row('a', 1), deleted: true });
      model.apply({ item: row('a', 1) });
      load(model, [row('a', 1), row('b', 1)]);
      expect(ids(model)).toBe('b');
    });

    it('keeps the object of an item when its version is repeated', () => {
      const model = create();
      const a = row('a', 1);
      load(model, [a]);
      model.apply({ item: row('a', 1) });
      expect(model.items()[0]).toBe(a);
    });

    it('lets the query decide whether an item of the same version matches', () => {
      const model = create();
      load(model, [], 'start');
      model.apply({ item: row('a', 1, 0, false) });
      load(model, [row('a', 1, 0, false)]);
      expect(ids(model)).toBe('a');
    });

    it('remembers a limited number of items that it does not show, except while a page is read', () => {
      const model = create(100);
      load(model, [row('z', 1)], 'z');
      const request = model.beginPage();
      for (let id = 0; id < 1_000; id += 1) model.apply({ item: row(`${id}`, 1, 1) });
      expect(model.hiddenEntries).toBe(1_000);
      model.endPage(request, { items: [row('y', 1)], endCursor: 'y', hasNextPage: true });
      for (let id = 0; id < 1_000; id += 1)
        model.apply({ item: row(`${id}`, 2, 1), deleted: true });
      expect(model.hiddenEntries).toBeLessThanOrEqual(125);
    });
  });
});
