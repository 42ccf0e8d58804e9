import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { formatCursor, parseCursor } from '@gudang/change-feed';
import { createMemoryFeed, type MemoryFeed } from '@gudang/change-feed/testing';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  endSubscription,
  registeredPosition,
  type SnapshotMarker,
} from '../graphql/subscription-context.ts';
import { type StreamSource, watchChanges } from './change-stream.ts';
import type { RowVersion } from './position-tracker.ts';

/** Number of changes that the feeds keep. */
const WINDOW = 12;
const ROWS = 12;
/** Number of rows per page of a snapshot. */
const PAGE = 3;
const START = Date.parse('2026-01-01T00:00:00Z');

type Arrival = Parameters<MemoryFeed['deliver']>[0];

/** A change, or a row of a snapshot. */
interface Sent {
  readonly id: string;
  readonly version: number;
  readonly isRow: boolean;
  readonly cursor: string;
}

const idOf = (number: number): string => `row-${String.fromCharCode(97 + number)}`;

/** A table, the topic of its changes, and two replicas that read the topic at different speeds. */
class System {
  readonly rows = new Map<string, RowVersion>();
  readonly replicas: MemoryFeed[];
  readonly #topic: Arrival[] = [];
  readonly #epoch = randomUUID();
  #now = START;

  constructor() {
    for (let number = 0; number < ROWS; number += 1) {
      const id = idOf(number);
      this.rows.set(id, { id, version: 1, changedAt: new Date(START - 3_600_000) });
    }
    this.replicas = [this.#start(), this.#start()];
  }

  replica(index: number): MemoryFeed {
    return this.replicas[index] as MemoryFeed;
  }

  /** @param lasted time since the beginning of the transaction, which is the time of its changes */
  change(number: number, lasted: number, pause: number): void {
    this.#now += pause;
    vi.setSystemTime(this.#now);
    const id = idOf(number);
    const version = (this.rows.get(id)?.version ?? 0) + 1;
    const at = this.#now - lasted;
    this.rows.set(id, { id, version, changedAt: new Date(at) });
    const value = Buffer.from(id);
    const offset = this.#topic.length;
    const change = { offset, epoch: this.#epoch, key: id, version, at, value };
    this.#topic.push({ term: 1, change });
  }

  /** Lets a replica read the topic up to an offset. */
  read(feed: MemoryFeed, offset = this.#topic.length): void {
    for (const arrival of this.#topic.slice(feed.next, offset)) feed.deliver(arrival);
  }

  /** Replaces a replica by one that has read the last changes. */
  restart(index: number): void {
    this.replicas[index] = this.#start();
  }

  readonly source: StreamSource<Sent> = {
    keys: undefined,
    isSmall: false,
    isComplete: (isCatchUp) => !isCatchUp,
    read: async ({ isComplete, since, from }, { limit }) => {
      await setImmediate();
      const rest = [...this.rows.values()]
        .filter(({ id }) => from === undefined || id > from)
        .filter(({ changedAt }) => isComplete || changedAt.getTime() >= since)
        .sort((one, other) => (one.id < other.id ? -1 : 1));
      const page = rest.slice(0, limit);
      return {
        rows: page.map((stored) => {
          const { id, version } = stored;
          return {
            id,
            from: id,
            stored,
            toEvent: (cursor: string) => ({ id, version, isRow: true, cursor }),
          };
        }),
        next: rest.length > limit ? page.at(-1)?.id : undefined,
      };
    },
    versionsSince: async (since) => {
      await setImmediate();
      return [...this.rows.values()].filter(({ changedAt }) => changedAt >= since);
    },
    decode:
      ({ key: id, version }) =>
      (cursor) => ({ id, version, isRow: false, cursor }),
    decodeRow:
      ({ key: id, version }) =>
      (cursor) => ({ id, version, isRow: true, cursor }),
  };

  #start(): MemoryFeed {
    const offset = Math.max(0, this.#topic.length - WINDOW);
    const at = this.#topic[offset - 1]?.change.at ?? START - 3_600_000;
    const reach = async (to: number): Promise<void> => this.read(feed, to);
    const feed = createMemoryFeed({ window: WINDOW, offset, epoch: this.#epoch, at, reach });
    this.read(feed);
    return feed;
  }
}

/** A client that resumes from its last cursor and counts the changes of each row. */
class Client {
  readonly versions = new Map<string, number>();
  readonly violations: string[] = [];
  readonly markers: SnapshotMarker[] = [];
  readonly sent: Sent[] = [];
  isInSnapshot = false;
  /** Whether a snapshot has begun of which no row has arrived. If the connection is lost, it is not continued. */
  #isBeginning = false;
  #system: System;
  #cursor: string;
  #context = {};
  #changes: AsyncGenerator<Sent, void> | undefined;
  #next: Promise<void> | undefined;

  constructor(system: System, cursor: string) {
    this.#system = system;
    this.#cursor = cursor;
    for (const { id, version } of system.rows.values()) this.versions.set(id, version);
  }

  connect(replica: MemoryFeed): void {
    this.leave();
    this.#isBeginning = false;
    const context = {};
    const changes = watchChanges({
      context,
      source: this.#system.source,
      changeFeed: replica,
      after: parseCursor(this.#cursor),
      announce: (marker) => {
        if (this.#changes === changes) this.#mark(marker);
      },
      page: PAGE,
    });
    this.#context = context;
    this.#changes = changes;
  }

  leave(): void {
    this.#changes = undefined;
    this.#next = undefined;
    endSubscription(this.#context);
  }

  /** Requests the next event. @param isLost whether the connection is lost before it arrives */
  async pull(isLost = false): Promise<void> {
    const changes = this.#changes;
    if (!changes || this.#next !== undefined) return;
    if (isLost) this.#changes = undefined;
    const next = changes.next().then(({ value }) => {
      if (this.#next !== next) return;
      this.#next = undefined;
      if (value && !isLost) this.#receive(value);
    });
    this.#next = next;
    for (let turn = 0; turn < 4 && this.#next !== undefined; turn += 1) await setImmediate();
  }

  /** Reads the position, after which the client continues from now on. */
  async readPosition(): Promise<void> {
    // A timer reads it, so the events before it have been sent.
    await setImmediate();
    if (!this.#changes) return;
    const position = registeredPosition(this.#context)?.read();
    if (typeof position === 'string') this.#cursor = position;
  }

  /** Receives until nothing more arrives. */
  async drain(): Promise<void> {
    for (let idle = 0; idle < 8; idle += 1) {
      const before = this.sent.length;
      await this.pull();
      await setImmediate();
      if (this.sent.length > before) idle = 0;
    }
  }

  #receive(event: Sent): void {
    const { id, version, isRow, cursor } = event;
    this.sent.push(event);
    this.#cursor = cursor;
    const known = this.versions.get(id) ?? 0;
    this.versions.set(id, version);
    this.#begin();
    if (isRow !== this.isInSnapshot) this.violations.push(`${id}: ${isRow ? 'row' : 'change'}`);
    const isRight = isRow ? version >= known : version === known + 1;
    if (!isRight) this.violations.push(`${id}: ${isRow ? 'row ' : ''}${known} to ${version}`);
  }

  #mark(marker: SnapshotMarker): void {
    this.markers.push(marker);
    if (marker.phase === 'begin') this.#isBeginning = true;
    if (marker.phase !== 'end') return;
    this.#begin();
    this.isInSnapshot = false;
  }

  #begin(): void {
    this.isInSnapshot ||= this.#isBeginning;
    this.#isBeginning = false;
  }
}

const LOST = formatCursor({ epoch: randomUUID(), offset: 0, at: 0 });

const replica = fc.integer({ min: 0, max: 1 });
const step = fc.oneof(
  {
    weight: 60,
    // Few rows change often; a transaction that waits for locks has an early time.
    arbitrary: fc.record({
      change: fc.nat(ROWS - 1),
      lasted: fc.constantFrom(0, 0, 0, 400),
      // The topic may be unavailable for minutes.
      pause: fc.constantFrom(10, 10, 10, 20_000),
    }),
  },
  { weight: 40, arbitrary: fc.record({ read: replica, count: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 14, arbitrary: fc.record({ connect: replica, isLost: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ restart: replica }) },
  { weight: 90, arbitrary: fc.constant('pull' as const) },
  { weight: 10, arbitrary: fc.constant('position' as const) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

async function run(system: System, client: Client, steps: readonly Step[]): Promise<void> {
  let connected = 0;
  for (const next of steps) {
    if (next === 'pull') await client.pull();
    else if (next === 'position') await client.readPosition();
    else if ('change' in next) system.change(next.change, next.lasted, next.pause);
    else if ('read' in next) {
      const feed = system.replica(next.read);
      system.read(feed, feed.next + next.count);
    } else if ('restart' in next) {
      system.restart(next.restart);
      if (next.restart === connected) client.connect(system.replica(connected));
    } else {
      if (next.isLost) await client.pull(true);
      connected = next.connect;
      client.connect(system.replica(connected));
    }
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: START });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('watchChanges', () => {
  it.each([
    ['a snapshot', () => LOST],
    ['changes', (system: System) => formatCursor(system.replica(0).position())],
  ])(
    'loses and repeats nothing between snapshots, cut at any event of %s',
    {
      timeout: 60_000,
    },
    async (_what, cursorOf) => {
      const steps = fc.array(step, { minLength: 20, maxLength: 200, size: 'max' });
      const property = fc.asyncProperty(steps, replica, async (all, last) => {
        const system = new System();
        const client = new Client(system, cursorOf(system));
        client.connect(system.replica(0));
        await run(system, client, all);
        for (const feed of system.replicas) system.read(feed);
        client.connect(system.replica(last));
        await client.drain();
        client.leave();
        expect(client.violations).toEqual([]);
        expect(client.isInSnapshot).toBe(false);
        const stored = [...system.rows.values()].map(({ id, version }) => [id, version]);
        expect([...client.versions]).toEqual(stored);
      });
      await fc.assert(property, { seed: 19, numRuns: 100 });
    },
  );

  it('sends no further row of a snapshot after its end, if rows behind the last one have changed', async () => {
    const system = new System();
    const client = new Client(system, formatCursor(system.replica(0).position()));
    const feed = system.replica(0);
    client.connect(feed);
    await client.pull();
    for (let change = 0; change < 2 * WINDOW; change += 1) system.change(change % 2, 0, 10);
    system.read(feed);
    await client.drain();
    expect(client.markers.map(({ phase }) => phase)).toEqual(['begin', 'end']);
    system.change(2, 0, 10);
    client.connect(feed);
    await client.drain();
    expect(client.sent.filter(({ isRow }) => isRow)).toHaveLength(2);
    system.read(feed);
    await client.drain();
    expect(client.violations).toEqual([]);
    expect(client.sent.at(-1)).toMatchObject({ id: idOf(2), version: 2, isRow: false });
  });

  it('repeats no row that changed again in a transaction that had begun earlier', async () => {
    const system = new System();
    const feed = system.replica(0);
    const client = new Client(system, LOST);
    client.connect(feed);
    system.change(0, 0, 1_000);
    await client.pull();
    expect(client.versions.get(idOf(0))).toBe(2);
    system.change(0, 500, 100);
    client.connect(feed);
    await client.drain();
    system.read(feed);
    await client.drain();
    expect(client.violations).toEqual([]);
    expect(client.versions.get(idOf(0))).toBe(3);
  });

  it('repeats the rest of the rows after another cut, and ends the repetition again', async () => {
    const system = new System();
    const feed = system.replica(0);
    const client = new Client(system, LOST);
    client.connect(feed);
    await client.pull();
    for (const number of [0, 9, 10]) system.change(number, 0, 10);
    await client.drain();
    system.read(feed, 1);
    await client.drain();
    expect(client.sent.at(-1)).toMatchObject({ id: idOf(0), version: 2, isRow: false });
    client.leave();
    system.read(feed);
    const before = client.sent.length;
    for (let cut = 0; cut < 3; cut += 1) {
      client.connect(feed);
      await client.pull();
    }
    await client.drain();
    expect(client.sent.slice(before).map(({ id, isRow }) => [id, isRow])).toEqual([
      [idOf(9), true],
      [idOf(10), true],
    ]);
    expect(client.violations).toEqual([]);
    expect(client.isInSnapshot).toBe(false);
    expect(client.markers.slice(2).map(({ phase }) => phase)).toEqual([
      'begin',
      'begin',
      'continue',
      'end',
    ]);
  });
});
