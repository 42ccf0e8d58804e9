import { describe, expect, it } from 'vitest';
import { settled, startStreamRig } from '../../testing/stream-rig.ts';

type Client = ReturnType<ReturnType<typeof startStreamRig>['join']>;

/**
 * Number of events in a burst, large enough that newer events replace waiting events of the same
 * key.
 */
const BURST = 1_100;
const KEYS = 3;

/** Creates a seeded random generator, so that a failing run can be repeated. */
function randomOf(seed: number) {
  let state = seed;
  return (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/**
 * Asserts that the client received the events after a position in order, and that each missing
 * event is in a conflated count.
 */
function expectAll(client: Client, after: number, log: readonly { key: string; n: number }[]) {
  const numbers = client.numbers();
  expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  expect(numbers.length + client.conflated()).toBe(log.length - after);
  expect(Math.min(...numbers)).toBeGreaterThan(after);
  const newest = new Map(log.slice(after).map(({ key, n }) => [key, n]));
  expect(new Map(client.got.map(({ key, n }) => [key, n]))).toEqual(newest);
}

const SEEDS = Array.from({ length: 60 }, (_, seed) => [seed, seed % 2 === 0] as const);

describe('a shared stream under random events, position reports, joins, stalls and moves', () => {
  it.each(SEEDS)(
    'does not lose, repeat or reorder an event (seed %i, position reports: %s)',
    async (seed, tells) => {
      const random = randomOf(seed);
      const bursts = random(3) === 0;
      const rig = startStreamRig({
        reportsPositions: tells,
        catchUps: 2,
        history: random(2) === 0 ? 1 : 100_000,
        together: seed % 4 === 0 ? 16 : 1,
      });
      const { upstream } = rig;
      const holder = rig.join();
      const clients: { after: number; client: Client }[] = [];
      // Each stream first receives one event, because a stream without a cursor would miss events
      // when it moves.
      upstream.append('k0');
      for (const stream of upstream.streams) upstream.advance(stream);
      for (let step = 0; step < 150; step += 1) {
        const stream = upstream.streams[random(upstream.streams.length)];
        const what = random(11);
        if (what < 3) {
          const count = bursts && random(10) === 0 ? BURST : 1;
          for (let one = 0; one < count; one += 1) upstream.append(`k${random(KEYS)}`);
        } else if (what < 6 && stream) {
          upstream.advance(stream, bursts && random(2) === 0 ? BURST : 1 + random(3));
        } else if (what < 7 && stream && tells) upstream.report(stream);
        else if (what < 8 && clients.length < 12) {
          const after = random(upstream.log.length + 1);
          clients.push({ after, client: rig.join(upstream.cursorAt(after)) });
        } else if (what < 9 && clients.length > 0) {
          const { client } = clients[random(clients.length)] as (typeof clients)[number];
          client.socket.open = !client.socket.open;
          if (client.socket.open) client.resume();
        } else if (what < 10) rig.stream.move(rig.runOf(`run ${random(3)}`));
        else await settled();
      }
      // A catch-up waits for its clients.
      for (const { client } of clients) {
        client.socket.open = true;
        client.resume();
      }
      // Delivers everything, then a few more events, so that the clients of all catch-ups join the
      // stream.
      for (let round = 0; round < 40; round += 1) {
        if (round > 5) upstream.append(`k${round % KEYS}`);
        for (const stream of [...upstream.streams]) {
          upstream.advance(stream);
          if (tells) upstream.report(stream);
        }
        await settled();
      }
      expect(upstream.streams).toHaveLength(1);
      expectAll(holder, 0, upstream.log);
      for (const { after, client } of clients) expectAll(client, after, upstream.log);
    },
  );
});

describe('a full event backlog', () => {
  it('keeps the newest event of each key and counts the others, even if the stream moves', async () => {
    const rig = startStreamRig();
    const { upstream } = rig;
    for (let one = 0; one < BURST; one += 1) upstream.append(`k${one % KEYS}`);
    rig.join();
    const late = rig.join('c10');
    await settled();
    upstream.advance(upstream.streams[1] as (typeof upstream.streams)[number]);
    rig.stream.move(rig.runOf('second'));
    for (let round = 0; round < 3; round += 1) {
      upstream.append('k0');
      for (const stream of [...upstream.streams]) {
        upstream.advance(stream);
        upstream.report(stream);
      }
      await settled();
    }
    expect(upstream.streams).toHaveLength(1);
    expect(late.conflated()).toBeGreaterThan(0);
    expectAll(late, 10, upstream.log);
  });

  it('does not deliver an event after a newer event of the same key if a catch-up is ahead of the stream', async () => {
    const rig = startStreamRig({ reportsPositions: false });
    const { upstream } = rig;
    rig.join();
    const late = rig.join('c0');
    await settled();
    const [shared, own] = upstream.streams as [
      (typeof upstream.streams)[number],
      (typeof upstream.streams)[number],
    ];
    for (let one = 0; one < BURST; one += 1) upstream.append('k0');
    upstream.advance(own);
    await settled();
    // The stream and the catch-up have both delivered c1. The catch-up has also delivered the
    // newest event.
    upstream.advance(shared, 3);
    await settled();
    expect(upstream.streams).toHaveLength(2);
    for (let round = 0; round < 3; round += 1) {
      for (const stream of [...upstream.streams]) upstream.advance(stream);
      upstream.append('k0');
      await settled();
    }
    for (const stream of [...upstream.streams]) upstream.advance(stream);
    await settled();
    expect(upstream.streams).toHaveLength(1);
    expectAll(late, 0, upstream.log);
  });
});
