import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { ScriptedStream } from '../../testing/scripted-upstream.ts';
import { settled, startStreamRig } from '../../testing/stream-rig.ts';

type Rig = ReturnType<typeof startStreamRig>;
type Client = ReturnType<Rig['join']>;

const KIB = 1024;
const MIB = 1024 * KIB;
/** Length of the additional text of a large event. */
const LARGE = 50_000;

/** Appends large events to the log, each with a key of its own unless `keys` is given. */
function append({ upstream }: Rig, count: number, keys = Number.POSITIVE_INFINITY): void {
  const from = upstream.log.length;
  for (let n = from; n < from + count; n += 1) upstream.append(`k${n % keys}`, LARGE);
}

/**
 * Sends all events on all upstream streams, one after the other, and on those that are opened
 * meanwhile.
 */
async function deliverAll({ upstream }: Rig, reportsPositions = true): Promise<void> {
  for (let quiet = 0; quiet < 5; ) {
    const before = upstream.streams.length;
    const behind = upstream.streams.filter(({ at }) => at < upstream.log.length);
    for (const stream of behind) upstream.advance(stream, 1);
    if (reportsPositions) for (const stream of [...upstream.streams]) upstream.report(stream);
    await settled();
    quiet = behind.length > 0 || upstream.streams.length !== before ? 0 : quiet + 1;
  }
}

function expectAll(client: Client, from: number, to: number): void {
  expect(client.ends).toEqual([]);
  expect(client.numbers()).toEqual(Array.from({ length: to - from }, (_, n) => from + n + 1));
}

describe('the replay buffer of a stream', () => {
  it('keeps no more bytes than its limit, however large the events are', async () => {
    const rig = startStreamRig({ history: 120_000 });
    rig.join();
    append(rig, 20);
    await deliverAll(rig);
    expect(rig.budget.held('replay')).toBeGreaterThan(2 * LARGE);
    expect(rig.budget.held('replay')).toBeLessThanOrEqual(120_000);
  });

  it('serves a client that resumes within its payloads, and no other', async () => {
    const rig = startStreamRig({ history: 120_000 });
    rig.join();
    append(rig, 20);
    await deliverAll(rig);
    const near = rig.join('c18');
    const far = rig.join('c17');
    await settled();
    expect(near.numbers()).toEqual([19, 20]);
    expect(far.numbers()).toEqual([]);
    expect(rig.upstream.streams).toHaveLength(2);
    await deliverAll(rig);
    append(rig, 2);
    await deliverAll(rig);
    expectAll(far, 17, 22);
    expect(rig.upstream.streams).toHaveLength(1);
  });

  it('is dropped before a client is closed', async () => {
    const rig = startStreamRig({ history: MIB, memory: { perConnection: 600 * KIB } });
    const client = rig.join();
    append(rig, 8);
    await deliverAll(rig);
    expect(rig.budget.held('replay')).toBeGreaterThan(6 * LARGE);
    client.socket.open = false;
    append(rig, 9);
    await deliverAll(rig);
    expect(client.ends).toEqual([]);
    expect(rig.budget.held('replay')).toBeLessThan(LARGE);
    expect(rig.budget.used).toBeLessThanOrEqual(600 * KIB);
  });
});

describe('a last-value cache', () => {
  it('is discarded when its bytes are needed', async () => {
    const rig = startStreamRig({ resumable: false, memory: { perConnection: 600 * KIB } });
    rig.join();
    append(rig, 5);
    await deliverAll(rig);
    expect(rig.stream.isJoinable).toBe(true);
    append(rig, 20);
    await deliverAll(rig);
    expect(rig.stream.isJoinable).toBe(false);
    expect(rig.budget.held('lastValues')).toBe(0);
  });
});

describe('a catch-up', () => {
  const own = ({ upstream }: Rig): ScriptedStream | undefined => upstream.streams[1];

  it.each([true, false])(
    'closes its upstream while its client is slow, and loses no event (position reports: %s)',
    async (reportsPositions) => {
      const rig = startStreamRig({ reportsPositions });
      const { upstream } = rig;
      rig.join();
      append(rig, 200);
      await deliverAll(rig, reportsPositions);
      const slow = rig.join('c0');
      await settled();
      const [, first] = upstream.streams;
      if (first && reportsPositions) upstream.report(first);
      slow.socket.open = false;
      await deliverAll(rig, reportsPositions);
      expect(own(rig)).toBeUndefined();
      expect(slow.ends).toEqual([]);
      expect(slow.numbers()).toEqual([]);
      expect(rig.budget.held('queues') + rig.budget.held('events')).toBeLessThan(12 * LARGE);
      slow.socket.open = true;
      slow.resume();
      await settled();
      expect(own(rig)?.after).toBe(`c${slow.numbers().at(-1)}`);
      await deliverAll(rig, reportsPositions);
      append(rig, 2);
      await deliverAll(rig, reportsPositions);
      expectAll(slow, 0, 202);
      expect(upstream.streams).toHaveLength(1);
    },
  );

  it('does not start while its client is not ready', async () => {
    const rig = startStreamRig();
    rig.join();
    append(rig, 30);
    await deliverAll(rig);
    const on = rig.connect();
    const blocked = Array.from({ length: 5 }, (_, n) => {
      const client = rig.join(`c${n}`, on);
      client.socket.open = false;
      return client;
    });
    await settled();
    expect(rig.upstream.streams).toHaveLength(1);
    for (const client of blocked) {
      client.socket.open = true;
      client.resume();
    }
    for (let round = 0; round < 5; round += 1) {
      await deliverAll(rig);
      append(rig, 1);
    }
    await deliverAll(rig);
    for (const [n, client] of blocked.entries()) expectAll(client, n, 35);
  });

  it('does not delay the catch-ups of other callers', async () => {
    const rig = startStreamRig({ catchUps: 20 });
    rig.join();
    append(rig, 30);
    await deliverAll(rig);
    const [greedy, other] = [rig.connect('greedy'), rig.connect('other')];
    const many = Array.from({ length: 20 }, (_, n) => rig.join(`c${n}`, greedy));
    const late = rig.join('c5', other);
    await settled();
    expect(rig.upstream.streams.map(({ after }) => after)).toEqual([undefined, 'c0', 'c1', 'c5']);
    for (let round = 0; round < 12; round += 1) {
      await deliverAll(rig);
      append(rig, 1);
    }
    await deliverAll(rig);
    for (const [n, client] of [...many, late].entries()) {
      expectAll(client, client === late ? 5 : n, 42);
    }
  });
});

describe('a stream whose events are executed slowly', () => {
  /** Starts a rig whose executions wait until `release` is called. */
  function startHeldRig(options: Parameters<typeof startStreamRig>[0] = {}) {
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const rig = startStreamRig({
      ...options,
      execute: async (event) => {
        await released;
        return event;
      },
    });
    return { rig, release };
  }

  it('closes its upstream above a number of bytes, and continues at its last cursor', async () => {
    const { rig, release } = startHeldRig({ reportsPositions: false, conflates: false });
    const client = rig.join();
    append(rig, 200);
    const [stream] = rig.upstream.streams;
    if (stream) rig.upstream.advance(stream);
    await settled();
    expect(rig.upstream.streams).toHaveLength(0);
    expect(rig.budget.held('events')).toBeLessThan(4 * MIB + 8 * LARGE);
    release();
    await deliverAll(rig, false);
    expectAll(client, 0, 200);
  });

  it('drops older events of a key if it cannot continue after a cursor', async () => {
    const { rig, release } = startHeldRig({ resumable: false });
    const client = rig.join();
    append(rig, 600, 3);
    await deliverAll(rig);
    expect(rig.budget.held('events')).toBeLessThanOrEqual(32 * MIB);
    release();
    await deliverAll(rig);
    expect(client.ends).toEqual([]);
    expect(client.numbers().length + client.conflated()).toBe(600);
    expect(client.numbers().at(-1)).toBe(600);
  });

  it('ends if it can neither continue after a cursor nor drop events', async () => {
    const { rig, release } = startHeldRig({ resumable: false, conflates: false });
    const client = rig.join();
    append(rig, 600);
    await deliverAll(rig);
    release();
    await settled();
    expect(client.ends).toEqual(['lagged']);
    expect(rig.budget.used).toBe(0);
  });
});

describe('slow clients above a memory limit', () => {
  it('are closed at the limit of their connection, and others receive everything', async () => {
    const rig = startStreamRig({
      memory: { perConnection: 2 * MIB },
      queue: { messages: 1_000, bytes: 10 * MIB },
    });
    const on = rig.connect();
    const reading = rig.join();
    const slow = Array.from({ length: 10 }, () => rig.join(undefined, on));
    for (const client of slow) client.socket.open = false;
    append(rig, 30);
    await deliverAll(rig);
    expect(slow.filter(({ ends }) => ends.includes('lagged')).length).toBeGreaterThan(0);
    expect(on.account.used).toBeLessThanOrEqual(2 * MIB);
    expectAll(reading, 0, 30);
  });

  it('are closed at the total limit, the greediest first', async () => {
    const rig = startStreamRig({
      memory: { total: 10 * MIB, perCaller: 9 * MIB },
      queue: { messages: 1_000, bytes: 10 * MIB },
    });
    const reading = rig.join();
    const slow = rig.join(undefined, rig.connect('modest'));
    const many = Array.from({ length: 6 }, () => rig.join(undefined, rig.connect('greedy')));
    for (const client of [slow, ...many]) client.socket.open = false;
    append(rig, 50);
    await deliverAll(rig);
    expect(many.filter(({ ends }) => ends.includes('evicted')).length).toBeGreaterThan(2);
    expect(rig.budget.used).toBeLessThanOrEqual(10 * MIB);
    slow.socket.open = true;
    slow.resume();
    expectAll(slow, 0, 50);
    expectAll(reading, 0, 50);
  });
});

describe('a caller above the rate limit of replayed events', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
    return () => vi.useRealTimers();
  });

  it('waits with its own streams if it has many, and receives each event', async () => {
    const rig = startStreamRig({ replays: 1, isMetered: true });
    const client = rig.join();
    for (let n = 0; n < 40; n += 1) rig.upstream.append(`k${n}`);
    await deliverAll(rig);
    expect(client.numbers().length).toBeGreaterThan(4);
    expect(client.numbers().length).toBeLessThan(15);
    expect(rig.upstream.streams).toHaveLength(0);
    for (let turn = 0; turn < 20; turn += 1) {
      vi.advanceTimersByTime(20_000);
      await deliverAll(rig);
    }
    expectAll(client, 0, 40);
  });

  it('catches up slowly if it has many streams, and alone', async () => {
    const rig = startStreamRig({ isMetered: true, history: 1 });
    rig.join();
    for (let n = 0; n < 40; n += 1) rig.upstream.append(`k${n}`);
    await deliverAll(rig);
    rig.upstream.append('more');
    rig.join('c1', rig.founder);
    rig.join('c2', rig.founder);
    rig.join('c2');
    rig.join('c3');
    await settled();
    const slow = rig.upstream.streams.map(({ after, isSlow }) => [after, isSlow]);
    expect(slow).toEqual([
      [undefined, false],
      ['c1', true],
      ['c2', false],
      ['c3', false],
    ]);
  });

  it('waits earlier if the events of its streams are costly', async () => {
    const rig = startStreamRig({ replays: 1, isMetered: true, weight: 10 });
    const client = rig.join();
    for (let n = 0; n < 40; n += 1) rig.upstream.append(`k${n}`);
    await deliverAll(rig);
    expect(client.numbers().length).toBeLessThan(4);
    for (let turn = 0; turn < 40; turn += 1) {
      vi.advanceTimersByTime(100_000);
      await deliverAll(rig);
    }
    expectAll(client, 0, 40);
  });

  it.each([
    [20, 40],
    [21, 4],
  ])(
    'waits with its only stream if that counts as %d streams: at most %d events',
    async (weight, most) => {
      const rig = startStreamRig({ replays: 1, weight });
      const client = rig.join();
      for (let n = 0; n < 40; n += 1) rig.upstream.append(`k${n}`);
      await deliverAll(rig);
      expect(client.numbers().length).toBeGreaterThan(0);
      expect(client.numbers().length).toBeLessThanOrEqual(most);
      if (most === 40) expectAll(client, 0, 40);
    },
  );

  it('does not delay a stream that another caller has joined', async () => {
    const rig = startStreamRig({ replays: 1, isMetered: true });
    const client = rig.join();
    for (let n = 0; n < 40; n += 1) rig.upstream.append(`k${n}`);
    await deliverAll(rig);
    expect(rig.upstream.streams).toHaveLength(0);
    rig.join(undefined, rig.connect('other'));
    await deliverAll(rig);
    expectAll(client, 0, 40);
  });

  it('waits with its catch-ups, while those of other callers continue', async () => {
    const rig = startStreamRig({ replays: 4, history: 1 });
    rig.join();
    for (let n = 0; n < 200; n += 1) rig.upstream.append(`k${n}`);
    await deliverAll(rig);
    const greedy = rig.join('c0', rig.connect('greedy'));
    await deliverAll(rig);
    expect(greedy.numbers().length).toBeGreaterThan(4);
    expect(greedy.numbers().length).toBeLessThan(60);
    expect(rig.upstream.streams).toHaveLength(1);
    const other = rig.join('c198', rig.connect('other'));
    await deliverAll(rig);
    rig.upstream.append('k0');
    await deliverAll(rig);
    expectAll(other, 198, 201);
    greedy.leave();
  });
});

describe('the memory of a stream itself', () => {
  it('counts until the stream ends', async () => {
    const rig = startStreamRig({ bytes: 5_000 });
    const client = rig.join();
    expect(rig.budget.held('streams')).toBe(5_000);
    client.leave();
    await settled();
    expect(rig.budget.held('streams')).toBe(0);
  });

  it('is refused above the limit of its connection', () => {
    expect(() => startStreamRig({ bytes: 5_000, memory: { perConnection: 4_000 } })).toThrow(
      'fewer ids',
    );
  });
});
