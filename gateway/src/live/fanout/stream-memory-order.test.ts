import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settled, startStreamRig } from '../../testing/stream-rig.ts';

type Rig = ReturnType<typeof startStreamRig>;
type Client = ReturnType<Rig['join']>;

const KIB = 1024;
/** So small that many runs exceed each of them. */
const MEMORY = [
  { total: 6_000 * KIB, perCaller: 3_000 * KIB, perConnection: 1_000 * KIB },
  { total: 1_500 * KIB, perCaller: 1_200 * KIB, perConnection: 1_000 * KIB },
];
/** Upper estimate of executed events at the limit, which count twice for a moment. */
const EXECUTED = 600 * KIB;
const KINDS = ['events', 'replay', 'lastValues', 'queues', 'sockets', 'answers'] as const;

type Step =
  | { readonly type: 'append'; readonly key: number; readonly kib: number }
  | { readonly type: 'advance'; readonly at: number; readonly count: number }
  | { readonly type: 'report' | 'toggle' | 'leave'; readonly at: number }
  | { readonly type: 'join'; readonly after: number; readonly caller: number }
  | { readonly type: 'move' | 'settle' };

const at = fc.nat(50);
const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        type: fc.constant('append' as const),
        key: fc.nat(4),
        kib: fc.nat(60),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({ type: fc.constant('advance' as const), at, count: fc.nat(12) }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ type: fc.constantFrom('report' as const, 'toggle' as const), at }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ type: fc.constant('join' as const), after: at, caller: fc.nat(3) }),
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('leave' as const), at }) },
    {
      weight: 4,
      arbitrary: fc.record({
        type: fc.constantFrom('settle' as const, 'settle' as const, 'move' as const),
      }),
    },
  ),
  { minLength: 40, maxLength: 160 },
) as fc.Arbitrary<Step[]>;

interface Joined {
  readonly after: number;
  readonly client: Client;
}

const hasStayed = ({ client }: Joined): boolean => client.ends.length === 0;

function run(rig: Rig, clients: Joined[], step: Step): Promise<void> | undefined {
  const { upstream } = rig;
  const stream = 'at' in step ? upstream.streams[step.at % upstream.streams.length] : undefined;
  const joined = 'at' in step ? clients[step.at % clients.length] : undefined;
  switch (step.type) {
    case 'append':
      upstream.append(`k${step.key}`, step.kib * KIB);
      break;
    case 'advance':
      if (stream) upstream.advance(stream, step.count);
      break;
    case 'report':
      if (stream) upstream.report(stream);
      break;
    case 'toggle':
      if (!joined) break;
      joined.client.socket.open = !joined.client.socket.open;
      if (joined.client.socket.open) joined.client.resume();
      break;
    case 'join': {
      if (!rig.stream.isJoinable) break;
      const after = step.after % (upstream.log.length + 1);
      const subject = step.caller === 0 ? undefined : `caller ${step.caller}`;
      clients.push({ after, client: rig.join(upstream.cursorAt(after), rig.connect(subject)) });
      break;
    }
    case 'leave':
      if (joined) clients.splice(clients.indexOf(joined), 1)[0]?.client.leave();
      break;
    case 'move':
      rig.stream.move(rig.runOf(`run ${upstream.log.length % 3}`));
      break;
    default:
      return settled();
  }
  return undefined;
}

/** Opens all sockets and delivers everything. */
async function finish({ upstream }: Rig, clients: readonly Joined[]): Promise<void> {
  for (const { client } of clients) {
    client.socket.open = true;
    client.resume();
  }
  for (let round = 0; round < 60; round += 1) {
    if (round > 40) upstream.append(`k${round % 4}`);
    for (const stream of [...upstream.streams]) {
      upstream.advance(stream, 3);
      if (stream.at === upstream.log.length) upstream.report(stream);
    }
    await settled();
  }
}

function expectAll({ client, after }: Joined, log: readonly { key: string; n: number }[]): void {
  const numbers = client.numbers();
  expect(numbers).toEqual([...new Set(numbers)].sort((one, other) => one - other));
  expect(numbers.length + client.conflated()).toBe(log.length - after);
  const newest = new Map(log.slice(after).map(({ key, n }) => [key, n]));
  expect(new Map(client.got.map(({ key, n }) => [key, n]))).toEqual(newest);
}

describe('a shared stream of large events under random use and small memory limits', () => {
  it('loses no event for clients that stay, and counts nothing when all have left', async () => {
    const seen = { ended: 0, stayed: 0, pauses: 0 };
    await fc.assert(
      fc.asyncProperty(
        steps,
        fc.boolean(),
        fc.constantFrom(...MEMORY),
        async (list, conflates, memory) => {
          const rig = startStreamRig({
            conflates,
            history: 200 * KIB,
            memory,
            queue: { messages: 1_000, bytes: 800 * KIB },
          });
          const holder = { after: 0, client: rig.join() };
          rig.upstream.append('k0');
          for (const stream of rig.upstream.streams) rig.upstream.advance(stream);
          await settled();
          const clients: Joined[] = [];
          for (const step of list) {
            await run(rig, clients, step);
            const held = KINDS.reduce((sum, kind) => sum + rig.budget.held(kind), 0);
            // An ended stream counts nowhere, but holds the event that it executes.
            if (clients.every(hasStayed) && hasStayed(holder)) expect(held).toBe(rig.budget.used);
            expect(held).toBeLessThanOrEqual(memory.total + EXECUTED);
          }
          await finish(rig, clients);
          for (const one of [holder, ...clients]) {
            if (one.client.ends.length > 0) seen.ended += 1;
            else {
              seen.stayed += 1;
              expectAll(one, rig.upstream.log);
            }
          }
          holder.client.leave();
          for (const { client } of clients) client.leave();
          await settled();
          expect(rig.upstream.streams).toHaveLength(0);
          expect(KINDS.map((kind) => rig.budget.held(kind))).toEqual([0, 0, 0, 0, 0, 0]);
          expect(rig.budget.used).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
    expect(seen.ended).toBeGreaterThan(0);
    expect(seen.stayed).toBeGreaterThan(100);
  }, 60_000);
});
