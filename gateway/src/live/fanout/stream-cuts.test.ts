import { describe, expect, it } from 'vitest';
import { createRandom, type Random } from '../../testing/random.ts';
import { type LiveMessage, settled, startStreamRig } from '../../testing/stream-rig.ts';

type Rig = ReturnType<typeof startStreamRig>;
type Stream = Rig['upstream']['streams'][number];

const KEYS = 4;
/** Large enough that newer events replace waiting ones in the gateway. */
const BURST = 1_200;

/**
 * A client of gateway/docs/live-protocol.md: it resumes after its last cursor, and processes the events of a group
 * together. It throws if it receives an event twice, an older event, or a wrong conflated count.
 */
class CheckingClient {
  readonly #rig: Rig;
  #joined: ReturnType<Rig['join']>;
  #read = 0;
  #cursor: string;
  #held: LiveMessage[] = [];
  readonly #versions: number[] = [];
  readonly #newest = new Map<string, number>();
  readonly versions = new Map<string, number>();
  conflated = 0;
  groups = 0;

  constructor(rig: Rig) {
    this.#rig = rig;
    this.#cursor = rig.upstream.cursorAt(0);
    this.#joined = rig.join(this.#cursor, undefined, true, true);
  }

  get socket() {
    return this.#joined.socket;
  }

  drain(): void {
    this.#joined.socket.open = true;
    this.#joined.resume();
  }

  /** Reads a number of messages; all by default. */
  read(count = Number.POSITIVE_INFINITY): void {
    const { messages } = this.#joined;
    const end = Math.min(messages.length, this.#read + count);
    for (; this.#read < end; this.#read += 1) this.#receive(messages[this.#read] as LiveMessage);
  }

  /** Loses the connection after a number of messages, and resumes. */
  cut(after: number): void {
    this.read(after);
    this.#joined.leave();
    this.#held = [];
    this.#read = 0;
    this.#joined = this.#rig.join(this.#cursor, undefined, true, true);
  }

  #receive(message: LiveMessage): void {
    const { cursor, more } = message.extensions?.live ?? {};
    this.#held.push(message);
    if (more) return;
    if (this.#held.length > 1) this.groups += 1;
    for (const each of this.#held.splice(0)) this.#process(each);
    this.#cursor = cursor ?? this.#cursor;
  }

  /** Returns the number of events of the same key up to event `n`. */
  #versionOf(n: number): number {
    const { log } = this.#rig.upstream;
    for (let index = this.#versions.length; index < n; index += 1) {
      const { key } = log[index] as (typeof log)[number];
      const version = (this.#newest.get(key) ?? 0) + 1;
      this.#newest.set(key, version);
      this.#versions.push(version);
    }
    return this.#versions[n - 1] ?? 0;
  }

  #process({ data, extensions }: LiveMessage): void {
    if (!data) return;
    const { key, n } = data.changed;
    const { conflated = 0 } = extensions?.live ?? {};
    const version = this.#versionOf(n);
    expect(version, `event ${n} of ${key}`).toBe((this.versions.get(key) ?? 0) + 1 + conflated);
    this.versions.set(key, version);
    this.conflated += conflated;
  }
}

/** @returns whether events were conflated, and delivered in groups */
async function run(random: Random, tells: boolean) {
  const bursts = random.chance(0.5);
  const rig = startStreamRig({ reportsPositions: tells, catchUps: 2, history: 200_000 });
  const { upstream } = rig;
  rig.join();
  upstream.append('k0');
  for (const stream of upstream.streams) upstream.advance(stream);
  const clients = Array.from({ length: 3 }, () => new CheckingClient(rig));
  for (let step = 0; step < 150; step += 1) {
    const stream = random.pick(upstream.streams);
    const client = random.pick(clients);
    const what = random.below(12);
    if (what < 4) {
      const count = bursts && random.chance(0.1) ? BURST : 1 + random.below(6);
      for (let one = 0; one < count; one += 1) upstream.append(`k${random.below(KEYS)}`);
    } else if (what < 7) upstream.advance(stream, random.chance(0.5) ? BURST : 1 + random.below(3));
    else if (what < 8 && tells) upstream.report(stream);
    else if (what < 9) client.read(random.below(8));
    else if (what < 10) {
      if (client.socket.open) client.socket.open = false;
      else client.drain();
    } else if (what < 11) client.cut(random.below(8));
    else await settled();
  }
  for (let round = 0; round < 30; round += 1) {
    for (const client of clients) client.drain();
    for (const client of clients) client.read();
    if (round < 20) upstream.append(`k${round % KEYS}`);
    for (const stream of [...upstream.streams]) {
      upstream.advance(stream);
      if (tells) upstream.report(stream);
    }
    await settled();
  }
  const newest = new Map<string, number>();
  for (const { key } of upstream.log) newest.set(key, (newest.get(key) ?? 0) + 1);
  for (const client of clients) {
    client.read();
    expect(client.versions).toEqual(newest);
  }
  const sum = (of: (client: CheckingClient) => number): number =>
    clients.reduce((total, client) => total + of(client), 0);
  return { conflated: sum((one) => one.conflated), groups: sum((one) => one.groups) };
}

describe('clients that lose their connections at any message, and resume', () => {
  it.each([true, false])(
    'receive each event once or count it as conflated (position reports: %s)',
    async (tells) => {
      let [conflated, groups] = [0, 0];
      for (let seed = 0; seed < 24; seed += 1) {
        const done = await run(createRandom(seed), tells);
        conflated += done.conflated;
        groups += done.groups;
      }
      expect(conflated).toBeGreaterThan(100);
      expect(groups).toBeGreaterThan(10);
    },
    30_000,
  );

  it('stay in their catch-up until they have received what has replaced an earlier event', async () => {
    let release = (): void => {};
    const blocked = new Promise<void>((resolve) => {
      release = resolve;
    });
    const last = 1_000;
    const rig = startStreamRig({
      execute: async (event) => {
        if ((event as LiveMessage).data?.changed.n === last) await blocked;
        return event;
      },
    });
    const { upstream } = rig;
    rig.join();
    const client = new CheckingClient(rig);
    await settled();
    const [shared, catchUp] = upstream.streams as [Stream, Stream];
    for (const stream of [shared, catchUp]) upstream.report(stream);
    const keys = new Map([
      [601, 'b'],
      [602, 'c'],
    ]);
    for (let event = 1; event <= last; event += 1) upstream.append(keys.get(event) ?? 'a');
    // Events are conflated above 1,000 waiting ones. The last `a` replaces those before `b`.
    upstream.advance(catchUp);
    await settled();
    upstream.advance(shared, 602);
    await settled();
    client.read();
    upstream.advance(shared);
    release();
    await settled();
    upstream.report(shared);
    upstream.report(catchUp);
    await settled();
    client.read();
    expect(upstream.streams).toHaveLength(1);
    expect([...client.versions]).toEqual([
      ['b', 1],
      ['c', 1],
      ['a', 998],
    ]);
  });
});
