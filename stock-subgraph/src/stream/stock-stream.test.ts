import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { formatCursor, parseCursor } from '@gudang/change-feed';
import { createMemoryFeed, type MemoryFeed } from '@gudang/change-feed/testing';
import type { SnapshotMarker } from '@gudang/subgraph';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StockRow } from '../stocks/lock-stocks.ts';
import { type SentChange, watchStocks } from './stock-stream.ts';
import type { StoredStocks } from './stored-stocks.ts';

/** Number of changes that the feeds keep. */
const WINDOW = 12;
const HOUR = 3_600_000;

type Arrival = Parameters<MemoryFeed['deliver']>[0];

/** A database, its topic, and two replicas that read the topic at different speeds. */
class System {
  readonly rows = new Map<string, StockRow>();
  replicas: readonly MemoryFeed[];
  #topic: Arrival[] = [];
  #epoch = randomUUID();
  /** A clock that is so far in the past that no row counts as recently written without the outbox. */
  #now = Date.now() - HOUR;

  constructor(stocks: number) {
    for (let index = 0; index < stocks; index += 1) this.#store(`stock-${index}`, 1, false);
    this.#now += HOUR;
    this.replicas = this.#start();
  }

  replica(index: number): MemoryFeed {
    return this.replicas[index] as MemoryFeed;
  }

  /** Adds, changes or deletes a stock. */
  change(id: string, deletes: boolean): void {
    const before = this.rows.get(id);
    this.#now += 1;
    const isNew = before === undefined || before.deletedAt !== null;
    const stock = this.#store(id, (before?.version ?? 0) + 1, deletes);
    const delta = (deletes ? 0 : stock.quantity) - (isNew ? 0 : before.quantity);
    const kind = deletes ? 'DELETED' : isNew ? 'CREATED' : 'UPDATED';
    this.#topic.push({
      term: 1,
      change: {
        offset: this.#topic.length,
        epoch: this.#epoch,
        key: id,
        version: stock.version,
        at: this.#now,
        value: encode(stock, kind, delta),
      },
    });
  }

  /** Restores the database to an earlier state, and restarts the replicas. */
  restore(rows: ReadonlyMap<string, StockRow>): void {
    this.rows.clear();
    for (const [id, row] of rows) this.rows.set(id, row);
    this.#epoch = randomUUID();
    this.replicas = this.#start();
  }

  /** Lets a replica read the topic up to an offset. */
  read(feed: MemoryFeed, offset = this.#topic.length): void {
    for (const arrival of this.#topic.slice(feed.next, offset)) feed.deliver(arrival);
  }

  readNext(feed: MemoryFeed): void {
    this.read(feed, feed.next + 1);
  }

  readonly stored: StoredStocks = {
    read: async (ids, { isComplete, since, from }, limit) => {
      await setImmediate();
      const after = (id: string): boolean => from === undefined || id > from;
      if (ids) {
        const rest = [...ids].sort().filter(after);
        return rest.map((id) => ({ id, row: this.rows.get(id) }));
      }
      return [...this.rows.values()]
        .filter(({ id, updatedAt, deletedAt }) => {
          const isRecent = updatedAt.getTime() >= since;
          return after(id) && (isRecent || (isComplete && deletedAt === null));
        })
        .sort((a, b) => (a.id < b.id ? -1 : 1))
        .slice(0, limit)
        .map((row) => ({ id: row.id, row }));
    },
    versionsSince: async (ids, since) =>
      [...this.rows.values()].filter(
        ({ id, updatedAt }) => updatedAt >= since && (!ids || ids.includes(id)),
      ),
  };

  #start(): readonly MemoryFeed[] {
    return [0, 1].map(() => {
      const feed: MemoryFeed = createMemoryFeed({
        window: WINDOW,
        offset: this.#topic.length,
        epoch: this.#epoch,
        reach: async (offset) => this.read(feed, offset),
      });
      return feed;
    });
  }

  #store(id: string, version: number, deletes: boolean): StockRow {
    const at = new Date(this.#now);
    // A tombstone has the quantity before the deletion.
    const quantity = deletes ? (this.rows.get(id)?.quantity ?? 0) : (version * 7) % 10;
    const row = {
      id,
      name: id,
      quantity,
      version,
      createdAt: at,
      updatedAt: at,
      deletedAt: deletes ? at : null,
    };
    this.rows.set(id, row);
    return row;
  }
}

function encode(stock: StockRow, kind: string, delta: number): Buffer {
  return Buffer.from(
    JSON.stringify({
      id: stock.id,
      name: stock.name,
      quantity: stock.quantity,
      version: stock.version,
      created_at: stock.createdAt,
      updated_at: stock.updatedAt,
      kind,
      delta,
      order_id: null,
    }),
  );
}

/** The arguments of a subscription. */
interface Watched {
  readonly ids?: readonly string[] | undefined;
  readonly quantityAtMost?: number;
}

/** A client that resumes from its last cursor, on any replica. */
class Client {
  readonly stocks = new Map<string, number>();
  /** The versions that the client has seen since the last reset, those of deleted stocks included. */
  readonly #versions = new Map<string, number>();
  readonly markers: SnapshotMarker[] = [];
  readonly stepsBack: string[] = [];
  rows = 0;
  #received = 0;
  readonly #system: System;
  readonly #watched: Watched;
  #cursor: string;
  #changes: AsyncGenerator<SentChange, void> | undefined;
  #next: Promise<void> | undefined;
  #named: Set<string> | undefined;
  /** The beginning of a snapshot until its first row; if the connection is lost before, it is not continued. */
  #begin: SnapshotMarker | undefined;

  constructor(system: System, cursor: string, watched: Watched = {}) {
    this.#system = system;
    this.#cursor = cursor;
    this.#watched = watched;
  }

  connect(replica: MemoryFeed): void {
    this.cut();
    const changes = watchStocks({
      context: {},
      stored: this.#system.stored,
      changeFeed: replica,
      ids: this.#watched.ids,
      quantityAtMost: this.#watched.quantityAtMost,
      after: parseCursor(this.#cursor),
      announce: (marker) => {
        if (this.#changes === changes) this.#mark(marker);
      },
      page: 3,
    });
    this.#changes = changes;
  }

  cut(): void {
    this.#changes = undefined;
    this.#next = undefined;
    this.#begin = undefined;
  }

  /** Requests the next change, if there is one. */
  async pull(): Promise<void> {
    const changes = this.#changes;
    if (!changes || this.#next !== undefined) return;
    const next = changes.next().then(({ value }) => {
      if (this.#next !== next) return;
      this.#next = undefined;
      if (value) this.#receive(value);
    });
    this.#next = next;
    for (let turn = 0; turn < 4 && this.#next !== undefined; turn += 1) await setImmediate();
  }

  /** Receives until nothing more arrives. */
  async drain(): Promise<void> {
    for (let idle = 0; idle < 8; idle += 1) {
      const before = this.#received;
      await this.pull();
      await setImmediate();
      if (this.#received > before) idle = 0;
    }
  }

  #receive({ kind, stock: { id, version, quantity }, cursor }: SentChange): void {
    const isLow = quantity <= (this.#watched.quantityAtMost ?? Number.POSITIVE_INFINITY);
    this.#received += 1;
    this.#beginSnapshot();
    if (kind === 'SNAPSHOT') this.rows += 1;
    const isUnknown = kind === 'DELETED' && version === 0;
    const before = this.#versions.get(id) ?? 0;
    if (!isUnknown && version < before) this.stepsBack.push(`${id}: ${before} to ${version}`);
    this.#versions.set(id, version);
    this.#named?.add(id);
    if (kind === 'DELETED' || !isLow) this.stocks.delete(id);
    else this.stocks.set(id, version);
    this.#cursor = cursor;
  }

  #mark(marker: SnapshotMarker): void {
    this.markers.push(marker);
    if (marker.phase === 'begin') this.#begin = marker;
    if (marker.phase !== 'end') return;
    this.#beginSnapshot();
    // The end is repeated if the client continues after the last row, whose end it has received.
    if (marker.complete && this.#named) {
      for (const id of this.stocks.keys()) if (!this.#named.has(id)) this.stocks.delete(id);
    }
    this.#named = undefined;
  }

  #beginSnapshot(): void {
    if (!this.#begin) return;
    this.#named = new Set();
    if (this.#begin.reset) this.#versions.clear();
    this.#begin = undefined;
  }
}

const current = (system: System, most = Number.POSITIVE_INFINITY): Map<string, number> =>
  new Map(
    [...system.rows.values()]
      .filter(({ deletedAt, quantity }) => deletedAt === null && quantity <= most)
      .map(({ id, version }) => [id, version]),
  );

const LOST = formatCursor({ epoch: randomUUID(), offset: 0, at: 0 });

const replica = fc.integer({ min: 0, max: 1 });
const step = fc.oneof(
  { weight: 70, arbitrary: fc.record({ change: fc.nat(29), deletes: fc.boolean() }) },
  { weight: 40, arbitrary: fc.record({ read: replica }) },
  { weight: 10, arbitrary: fc.record({ connect: replica }) },
  { weight: 90, arbitrary: fc.constant('pull' as const) },
  { weight: 3, arbitrary: fc.constantFrom('save' as const, 'restore' as const) },
);

async function run(
  system: System,
  client: Client,
  steps: readonly (typeof step extends fc.Arbitrary<infer S> ? S : never)[],
): Promise<void> {
  let saved = new Map(system.rows);
  for (const next of steps) {
    if (next === 'pull') await client.pull();
    else if (next === 'save') saved = new Map(system.rows);
    else if (next === 'restore') {
      system.restore(saved);
      client.connect(system.replica(0));
    } else if ('change' in next) system.change(`stock-${next.change}`, next.deletes);
    else if ('read' in next) system.readNext(system.replica(next.read));
    else client.connect(system.replica(next.connect));
  }
}

describe('watchStocks', () => {
  it.each([
    ['all stocks', undefined],
    ['some stocks', ['stock-1', 'stock-2', 'stock-3', 'stock-25']],
  ])(
    'converges to the database through snapshots, changes, cuts and restores: %s',
    { timeout: 60_000 },
    async (_what, ids) => {
      const steps = fc.array(step, { minLength: 20, maxLength: 200, size: 'max' });
      const property = fc.asyncProperty(steps, fc.option(replica), async (all, last) => {
        const system = new System(20);
        const client = new Client(system, LOST, { ids });
        client.connect(system.replica(0));
        await run(system, client, all);
        for (const feed of system.replicas) system.read(feed);
        if (last !== null) client.connect(system.replica(last));
        await client.drain();
        const expected = current(system);
        for (const id of expected.keys()) if (ids && !ids.includes(id)) expected.delete(id);
        expect(client.stocks).toEqual(expected);
        expect(client.stepsBack).toEqual([]);
      });
      await fc.assert(property, { numRuns: 100 });
    },
  );

  it('keeps a list of low stocks current through snapshots, changes and cuts', {
    timeout: 60_000,
  }, async () => {
    const steps = fc.array(
      step.filter((one) => one !== 'restore'),
      { minLength: 20, maxLength: 200, size: 'max' },
    );
    const property = fc.asyncProperty(steps, fc.option(replica), async (all, last) => {
      const system = new System(20);
      const cursor = formatCursor(system.replica(0).position());
      const client = new Client(system, cursor, { quantityAtMost: 4 });
      for (const [id, version] of current(system, 4)) client.stocks.set(id, version);
      client.connect(system.replica(0));
      await run(system, client, all);
      for (const feed of system.replicas) system.read(feed);
      if (last !== null) client.connect(system.replica(last));
      await client.drain();
      expect(client.stocks).toEqual(current(system, 4));
      expect(client.stepsBack).toEqual([]);
      expect(client.markers.filter(({ complete }) => complete)).toEqual([]);
    });
    await fc.assert(property, { seed: 18, numRuns: 100 });
  });

  it('sends only changes whose quantity before or after is low', async () => {
    const system = new System(0);
    const feed = system.replica(0);
    const position = feed.position();
    // The quantities of the versions 1 to 5 are 7, 4, 1, 8 and 5.
    for (let change = 0; change < 5; change += 1) system.change('stock-0', false);
    system.change('stock-0', true);
    system.change('stock-1', true);
    system.read(feed);
    const changes = watchStocks({
      context: {},
      stored: system.stored,
      changeFeed: feed,
      ids: undefined,
      quantityAtMost: 4,
      after: position,
    });
    const sent: unknown[] = [];
    for (let change = 0; change < 4; change += 1) {
      const { value } = await changes.next();
      if (value) sent.push([value.kind, value.stock.id, value.stock.quantity]);
    }
    await changes.return();
    expect(sent).toEqual([
      ['UPDATED', 'stock-0', 4],
      ['UPDATED', 'stock-0', 1],
      ['UPDATED', 'stock-0', 8],
      ['DELETED', 'stock-1', 0],
    ]);
  });

  it.each([
    ['low stocks', { quantityAtMost: 4 }, false],
    ['all stocks', {}, true],
    ['some stocks', { ids: ['stock-1'], quantityAtMost: 4 }, true],
  ])(
    'limits the age of a lost cursor of a stream of %s: %o',
    async (_what, watched, isAnswered) => {
      const system = new System(2);
      const changes = watchStocks({
        context: {},
        stored: system.stored,
        changeFeed: system.replica(0),
        ids: undefined,
        ...watched,
        maxAgeMs: HOUR,
        after: { epoch: randomUUID(), offset: 0, at: Date.now() - HOUR - 1 },
        announce: () => {},
      });
      const first = changes.next().then(
        ({ value }) => value !== undefined && value.kind === 'SNAPSHOT',
        ({ code }) => code,
      );
      expect(await first).toBe(isAnswered || 'CURSOR_EXPIRED');
    },
  );

  it('continues a snapshot after any row, and names each row once', async () => {
    const system = new System(20);
    const client = new Client(system, LOST);
    for (let row = 0; row < 20; row += 1) {
      client.connect(system.replica(row % 2));
      await client.pull();
    }
    await client.drain();
    expect(client.rows).toBe(20);
    expect(client.stocks).toEqual(current(system));
    const phases = client.markers.map(({ phase }) => phase);
    expect(phases).toEqual(['begin', ...Array(19).fill('continue'), 'end']);
    expect(client.markers[0]).toEqual({ phase: 'begin', complete: true, reset: true });
  });

  it('ends a snapshot although more changes arrive than the feed keeps', async () => {
    const system = new System(40);
    const feed = system.replica(0);
    const client = new Client(system, LOST);
    client.connect(feed);
    for (let row = 0; row < 40; row += 1) {
      for (let change = 0; change < 3; change += 1) system.change(`stock-${change}`, false);
      system.read(feed);
      if (row % 5 === 0) client.connect(feed);
      await client.pull();
    }
    await client.drain();
    expect(client.stocks).toEqual(current(system));
    // The second snapshot names only what has changed since the first one began.
    expect(client.markers.filter(({ phase }) => phase !== 'continue')).toEqual([
      { phase: 'begin', complete: true, reset: true },
      { phase: 'end', complete: true, reset: false },
      { phase: 'begin', complete: false, reset: false },
      { phase: 'end', complete: false, reset: false },
    ]);
  });

  it('restarts a snapshot instead of reading all versions for a forged cursor', async () => {
    const system = new System(20);
    system.change('stock-1', false);
    const feed = system.replica(0);
    system.read(feed);
    const position = { ...feed.position(), offset: 0 };
    const forged = formatCursor({
      ...position,
      snapshot: { seen: 0, ahead: { since: 0, until: 0 } },
    });
    const client = new Client(system, forged);
    client.connect(feed);
    await client.drain();
    expect(client.markers[0]).toEqual({ phase: 'begin', complete: true, reset: false });
    expect(client.stocks).toEqual(current(system));
  });

  it('names every watched id, also those that a restored database does not contain', async () => {
    const system = new System(1);
    const sent: SentChange[] = [];
    const changes = watchStocks({
      context: {},
      stored: system.stored,
      changeFeed: system.replica(0),
      ids: ['stock-7', 'stock-0'],
      after: parseCursor(LOST),
      announce: () => {},
    });
    for (let row = 0; row < 2; row += 1) {
      const { value } = await changes.next();
      if (value) sent.push(value);
    }
    expect(sent.map(({ kind, stock: { id, version } }) => [kind, id, version])).toEqual([
      ['SNAPSHOT', 'stock-0', 1],
      ['DELETED', 'stock-7', 0],
    ]);
  });
});
