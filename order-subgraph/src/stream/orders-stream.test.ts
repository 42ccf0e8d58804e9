import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { type Cursor, formatCursor, parseCursor } from '@gudang/change-feed';
import { createMemoryFeed, type MemoryFeed } from '@gudang/change-feed/testing';
import { encodeOrderChanged, type OrderState, type OrderStatus } from '@gudang/events';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isVisible } from '../orders/order-visibility.ts';
import { kindOf, type SentOrderChange, watchOrders } from './orders-stream.ts';
import { MAY_HAVE_BEEN, type StoredOrders, type WatchedOrders } from './stored-orders.ts';
import { ORDER_STREAM, watchKeysOf } from './watch-keys.ts';

/** Number of changes that the feeds keep. */
const WINDOW = 12;
/** Maximum age of a transaction's time at its commit, in milliseconds. */
const LONGEST_TRANSACTION = 20_000;
const DAY = 86_400_000;

type Arrival = Parameters<MemoryFeed['deliver']>[0];

const OWNERS = ['siti', 'budi', ''];
const PRODUCTS = ['kopi', 'teh'];
const idOf = (number: number): string =>
  `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

/** The statuses after which an order can have a status. */
const NEXT: Readonly<Record<OrderStatus, readonly OrderStatus[]>> = {
  PENDING: ['PENDING', 'CONFIRMED', 'REJECTED', 'CANCELLED'],
  CONFIRMED: ['CONFIRMED', 'CANCELLED'],
  REJECTED: [],
  CANCELLED: [],
};

/** A database, its topic, and two replicas that read the topic at different speeds. */
class System {
  readonly rows = new Map<string, OrderState>();
  replicas: readonly MemoryFeed[] = [];
  #topic: Arrival[] = [];
  #epoch = randomUUID();
  #now = Date.parse('2026-01-01T00:00:00Z');

  constructor() {
    this.replicas = this.#start();
  }

  replica(index: number): MemoryFeed {
    return this.replicas[index] as MemoryFeed;
  }

  /**
   * Creates or changes an order in a transaction that began up to 20 s before its commit.
   * @param move selects the next status
   */
  change(number: number, move: number, lasted: number): void {
    // After a short pause, the times of two changes may be in another order than their commits.
    this.#now += lasted % 2 === 0 ? 45_000 : 3_000;
    vi.setSystemTime(this.#now);
    const id = idOf(number);
    const before = this.rows.get(id);
    const at = new Date(this.#now - Math.min(lasted, LONGEST_TRANSACTION));
    const nexts = before ? NEXT[before.status] : (['PENDING'] as const);
    const status = nexts[move % Math.max(1, nexts.length)];
    if (status === undefined) return;
    const order: OrderState = {
      id,
      owner: OWNERS[number % OWNERS.length] as string,
      productId: PRODUCTS[number % PRODUCTS.length] as string,
      quantity: 1,
      status,
      rejectionReason: status === 'REJECTED' ? 'OUT_OF_STOCK' : null,
      createdAt: before?.createdAt ?? at,
      decidedAt: status === 'PENDING' ? null : at,
      version: (before?.version ?? 0) + 1,
      changedAt: at,
      cancelRequestedAt: before && !before.cancelRequestedAt ? at : null,
      cancelReason: null,
      cancelledAt: status === 'CANCELLED' ? at : null,
    };
    this.rows.set(id, order);
    const value = encodeOrderChanged({ order, previousStatus: before?.status ?? null });
    this.#topic.push({
      term: 1,
      change: {
        offset: this.#topic.length,
        epoch: this.#epoch,
        key: id,
        moreKeys: watchKeysOf(order),
        version: order.version,
        at: at.getTime(),
        value: Buffer.from(value),
      },
    });
  }

  /** Restores the database to an earlier state, and restarts the replicas. */
  restore(rows: ReadonlyMap<string, OrderState>): void {
    this.rows.clear();
    for (const [id, row] of rows) this.rows.set(id, row);
    this.#epoch = randomUUID();
    this.replicas = this.#start();
  }

  /** Lets a replica read the topic up to an offset. */
  read(feed: MemoryFeed, offset = this.#topic.length): void {
    for (const arrival of this.#topic.slice(feed.next, offset)) feed.deliver(arrival);
  }

  readonly stored: StoredOrders = {
    read: async ({ visibility, productId, status }, { since, from }, { until, limit }) => {
      await setImmediate();
      const statuses = status && MAY_HAVE_BEEN[status];
      const keyOf = ({ changedAt, id }: OrderState): string => `${changedAt.getTime()}.${id}`;
      const read = [...this.rows.values()]
        .filter((row) => isVisible(visibility, row))
        .filter(({ changedAt }) => changedAt.getTime() >= since && changedAt.getTime() <= until)
        .filter((row) => from === undefined || keyOf(row) > from)
        .sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1))
        .slice(0, limit);
      const last = read.at(-1);
      return {
        orders: read
          .filter((row) => productId === undefined || row.productId === productId)
          .filter((row) => !statuses || statuses.includes(row.status))
          .map((order) => ({ order, from: keyOf(order) })),
        next: last && read.length === limit ? keyOf(last) : undefined,
      };
    },
    versionsSince: async ({ visibility }, since) =>
      [...this.rows.values()].filter((row) => isVisible(visibility, row) && row.changedAt >= since),
  };

  #start(): readonly MemoryFeed[] {
    return [0, 1].map(() => {
      const feed: MemoryFeed = createMemoryFeed({
        window: WINDOW,
        offset: this.#topic.length,
        at: this.#now,
        epoch: this.#epoch,
        stream: ORDER_STREAM,
        reach: async (offset) => this.read(feed, offset),
      });
      return feed;
    });
  }
}

/** An app that loads a list of orders and keeps it current by the stream, from any replica. */
class Client {
  readonly list = new Map<string, number>();
  readonly stepsBack: string[] = [];
  readonly received: SentOrderChange[] = [];
  readonly phases: string[] = [];
  error: unknown;
  readonly #versions = new Map<string, number>();
  /** The versions that the stream has sent. A query may return newer ones, which the stream sends later. */
  readonly #sent = new Map<string, number>();
  readonly #system: System;
  readonly #watched: WatchedOrders;
  #cursor = '';
  #changes: AsyncGenerator<SentOrderChange, void> | undefined;
  #next: Promise<void> | undefined;

  constructor(system: System, watched: WatchedOrders) {
    this.#system = system;
    this.#watched = watched;
  }

  /** Reads the cursor, then the list. */
  query(replica: MemoryFeed): void {
    this.#cursor = formatCursor(replica.position());
    this.list.clear();
    this.#versions.clear();
    for (const row of this.#system.rows.values()) this.#take(row);
  }

  connect(replica: MemoryFeed, cursor = this.#cursor): void {
    this.cut();
    const changes = watchOrders({
      context: {},
      stored: this.#system.stored,
      changeFeed: replica,
      watched: this.#watched,
      after: parseCursor(cursor, ORDER_STREAM),
      maxAgeMs: 7 * DAY,
      announce: ({ phase, complete, reset }) => {
        if (this.#changes !== changes) return;
        this.phases.push(phase);
        expect(complete).toBe(false);
        // The snapshot does not name the orders that a restored database has in an earlier state.
        if (!reset) return;
        this.#sent.clear();
        this.query(replica);
      },
      page: 3,
    });
    this.#changes = changes;
  }

  cut(): void {
    this.#changes = undefined;
    this.#next = undefined;
  }

  async pull(): Promise<void> {
    const changes = this.#changes;
    if (!changes || this.#next !== undefined) return;
    const next = changes.next().then(
      ({ value }) => {
        if (this.#next !== next) return;
        this.#next = undefined;
        if (value) this.#receive(value);
      },
      (error: unknown) => {
        this.error = error;
      },
    );
    this.#next = next;
    for (let turn = 0; turn < 4 && this.#next !== undefined; turn += 1) await setImmediate();
  }

  /** Receives until nothing more arrives. */
  async drain(): Promise<void> {
    for (let idle = 0; idle < 8; idle += 1) {
      const before = this.received.length;
      await this.pull();
      await setImmediate();
      if (this.received.length > before) idle = 0;
    }
  }

  #receive(change: SentOrderChange): void {
    const { order, cursor } = change;
    this.received.push(change);
    const before = this.#sent.get(order.id) ?? 0;
    if (order.version < before) this.stepsBack.push(`${order.id}: ${before} to ${order.version}`);
    this.#sent.set(order.id, order.version);
    this.#take(order);
    this.#cursor = cursor;
  }

  #take(order: OrderState): void {
    if (order.version < (this.#versions.get(order.id) ?? 0)) return;
    this.#versions.set(order.id, order.version);
    if (matches(this.#watched, order)) this.list.set(order.id, order.version);
    else this.list.delete(order.id);
  }
}

function matches({ visibility, productId, status }: WatchedOrders, order: OrderState): boolean {
  return (
    isVisible(visibility, order) &&
    (productId === undefined || order.productId === productId) &&
    (status === undefined || order.status === status)
  );
}

const current = (system: System, watched: WatchedOrders): Map<string, number> =>
  new Map(
    [...system.rows.values()]
      .filter((order) => matches(watched, order))
      .map(({ id, version }) => [id, version]),
  );

const watchedOrders = fc.record(
  {
    visibility: fc.constantFrom('all' as const, { owner: 'siti' }, { owner: 'budi' }),
    productId: fc.constantFrom(...PRODUCTS),
    status: fc.constantFrom('PENDING' as const, 'CONFIRMED', 'REJECTED', 'CANCELLED'),
  },
  { requiredKeys: ['visibility'] },
);
const replica = fc.integer({ min: 0, max: 1 });
const step = fc.oneof(
  {
    weight: 70,
    arbitrary: fc.record({ change: fc.nat(23), move: fc.nat(9), lasted: fc.nat(30_000) }),
  },
  { weight: 40, arbitrary: fc.record({ read: replica }) },
  { weight: 8, arbitrary: fc.record({ connect: replica }) },
  { weight: 90, arbitrary: fc.constant('pull' as const) },
  { weight: 2, arbitrary: fc.constantFrom('save' as const, 'restore' as const) },
);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-01-01T00:00:00Z') });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('watchOrders', () => {
  it('keeps a list current through snapshots, changes, cuts and restores, for any filter', {
    timeout: 60_000,
  }, async () => {
    const steps = fc.array(step, { minLength: 20, maxLength: 200, size: 'max' });
    let snapshots = 0;
    const property = fc.asyncProperty(watchedOrders, steps, replica, async (watched, all, last) => {
      const system = new System();
      for (let number = 0; number < 12; number += 1) system.change(number, 0, 0);
      for (const feed of system.replicas) system.read(feed);
      const client = new Client(system, watched);
      client.query(system.replica(0));
      client.connect(system.replica(0));
      let saved = new Map(system.rows);
      for (const next of all) {
        if (next === 'pull') await client.pull();
        else if (next === 'save') saved = new Map(system.rows);
        else if (next === 'restore') {
          system.restore(saved);
          client.connect(system.replica(0));
        } else if ('change' in next) system.change(next.change, next.move, next.lasted);
        else if ('read' in next)
          system.read(system.replica(next.read), system.replica(next.read).next + 1);
        else client.connect(system.replica(next.connect));
      }
      for (const feed of system.replicas) system.read(feed);
      client.connect(system.replica(last));
      await client.drain();
      expect(client.error).toBeUndefined();
      expect(client.list).toEqual(current(system, watched));
      expect(client.stepsBack).toEqual([]);
      snapshots += client.phases.includes('begin') ? 1 : 0;
    });
    await fc.assert(property, { numRuns: 150 });
    expect(snapshots).toBeGreaterThan(20);
  });

  it('sends only visible orders, and the changes that begin or leave a status', async () => {
    const property = fc.asyncProperty(
      watchedOrders,
      fc.array(fc.record({ number: fc.nat(9), move: fc.nat(9) }), { maxLength: WINDOW }),
      async (watched, changes) => {
        const system = new System();
        const client = new Client(system, watched);
        client.query(system.replica(0));
        client.connect(system.replica(0));
        await client.pull();
        const expected: [string, number][] = [];
        for (const { number, move } of changes) {
          const before = system.rows.get(idOf(number));
          system.change(number, move, 0);
          const after = system.rows.get(idOf(number)) as OrderState;
          if (after === before) continue;
          const wanted = [before, after].some((one) => one && matches(watched, one));
          if (wanted) expected.push([after.id, after.version]);
        }
        system.read(system.replica(0));
        await client.drain();
        expect(client.received.map(({ order }) => [order.id, order.version])).toEqual(expected);
        expect(client.phases).toEqual([]);
      },
    );
    await fc.assert(property, { numRuns: 100 });
  });

  it('continues a snapshot after any row, and names each row once', async () => {
    const system = new System();
    const watched: WatchedOrders = { visibility: 'all' };
    const client = new Client(system, watched);
    const lost: Cursor = { ...system.replica(0).position(), offset: null };
    for (let number = 0; number < 20; number += 1) system.change(number, 0, 0);
    for (const feed of system.replicas) system.read(feed);
    client.connect(system.replica(0), formatCursor(lost));
    for (let row = 0; row < 20; row += 1) {
      await client.pull();
      client.connect(system.replica(row % 2));
    }
    await client.drain();
    expect(client.received.map(({ kind }) => kind)).toEqual(Array(20).fill('SNAPSHOT'));
    expect(client.list).toEqual(current(system, watched));
    expect(client.phases.at(0)).toBe('begin');
    expect(client.phases.at(-1)).toBe('end');
  });

  it('names only the orders that changed since the cursor, except for the safety margin', async () => {
    const system = new System();
    for (let number = 0; number < 10; number += 1) system.change(number, 0, 0);
    for (const feed of system.replicas) system.read(feed);
    const { epoch, ...position } = system.replica(0).position();
    for (let number = 10; number < 15; number += 1) system.change(number, 0, 0);
    for (const feed of system.replicas) system.read(feed);
    const client = new Client(system, { visibility: 'all' });
    client.connect(system.replica(0), formatCursor({ ...position, epoch, offset: null }));
    await client.drain();
    // The margin of 80 s contains the last two changes before the cursor.
    expect(client.received.map(({ order }) => order.id)).toEqual(
      [8, 9, 10, 11, 12, 13, 14].map(idOf),
    );
  });

  it.each([
    ['rejects a cursor that needs a snapshot and is too old', { offset: null }, 8 * DAY, true],
    ['rejects a snapshot that began too long ago', { offset: null, scan: true }, 9 * DAY, true],
    ['accepts a cursor of the last days', { offset: null }, 6 * DAY, false],
    ['accepts an old cursor whose changes are available', {}, 8 * DAY, false],
  ])('%s', async (_what, { offset, scan }: { offset?: null; scan?: boolean }, age, isExpired) => {
    const system = new System();
    const position = system.replica(0).position();
    vi.setSystemTime(Date.now() + age);
    const client = new Client(system, { visibility: 'all' });
    const snapshot = { seen: 0, scan: { isComplete: false, since: position.at } };
    const cursor = { ...position, ...(offset === null ? { offset } : {}) };
    client.connect(
      system.replica(0),
      formatCursor(scan ? { ...cursor, offset: 0, snapshot } : cursor),
    );
    await client.drain();
    if (isExpired) {
      expect(client.error).toMatchObject({
        code: 'CURSOR_EXPIRED',
        message: expect.stringMatching(/older than 7 days.* Query the list first/),
      });
    } else expect(client.error).toBeUndefined();
  });
});

describe('kindOf', () => {
  const order = { status: 'CONFIRMED', cancelRequestedAt: null } as OrderState;
  const requested = { ...order, cancelRequestedAt: new Date() };
  it.each([
    ['CREATED', { ...order, status: 'PENDING' as const }, null],
    ['CONFIRMED', order, 'PENDING'],
    ['CONFIRMED', requested, 'PENDING'],
    ['REJECTED', { ...requested, status: 'REJECTED' as const }, 'PENDING'],
    ['CANCEL_REQUESTED', { ...requested, status: 'PENDING' as const }, 'PENDING'],
    ['CANCEL_REQUESTED', requested, 'CONFIRMED'],
    ['CANCEL_REFUSED', order, 'CONFIRMED'],
    ['CANCELLED', { ...requested, status: 'CANCELLED' as const }, 'CONFIRMED'],
  ] as const)('is %s', (kind, after, previousStatus) => {
    expect(kindOf({ order: after, previousStatus })).toBe(kind);
  });
});
