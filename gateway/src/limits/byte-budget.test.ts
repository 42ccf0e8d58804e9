import { createMetrics } from '@gudang/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTestBudget } from '../testing/test-budget.ts';
import type { ByteAccount, ByteHold, ByteKind } from './byte-account.ts';
import { ByteBudget } from './byte-budget.ts';

const LIMITS = { total: 1_000, perCaller: 400, perConnection: 200 };

function createBudget(limits = LIMITS) {
  const metrics = createMetrics('budget');
  const budget = new ByteBudget(limits, metrics);
  const ended: string[] = [];
  /** Opens a connection of a subject, which releases its bytes when it is ended. */
  const connect = (subject: string | undefined, name: string, kind: ByteKind = 'queues') => {
    const account = budget.connection(
      { identity: subject === undefined ? {} : { subject }, address: '127.0.0.1' },
      {
        onEvict: () => {
          ended.push(name);
          hold.releaseAll();
          account.close();
        },
      },
    );
    const hold = account.hold(kind);
    return { account, hold };
  };
  const metricOf = async (line: string): Promise<number> => {
    const { body } = await metrics.render();
    return Number(
      body
        .split('\n')
        .find((one) => one.startsWith(line))
        ?.split(' ')
        .at(-1),
    );
  };
  return { budget, connect, ended, metricOf };
}

describe('a byte budget', () => {
  it('refuses bytes above the limit of a connection, and counts none of them', () => {
    const { budget, connect, ended } = createBudget();
    const { hold } = connect('ann', 'one');
    expect(hold.reserve(200)).toBe(true);
    expect(hold.reserve(1)).toBe(false);
    expect(budget.used).toBe(200);
    hold.release(50);
    expect(hold.reserve(50)).toBe(true);
    expect(ended).toEqual([]);
  });

  it("ends the caller's own greediest connection at the limit of a caller", () => {
    const { budget, connect, ended } = createBudget();
    expect(connect('bob', 'other').hold.reserve(200)).toBe(true);
    expect(connect('ann', 'small').hold.reserve(150)).toBe(true);
    expect(connect('ann', 'large').hold.reserve(200)).toBe(true);
    expect(connect('ann', 'new').hold.reserve(100)).toBe(true);
    expect(ended).toEqual(['large']);
    expect(budget.used).toBe(450);
  });

  it('refuses the greediest connection of a caller itself', () => {
    const { connect, ended } = createBudget();
    expect(connect('ann', 'small').hold.reserve(150)).toBe(true);
    expect(connect('ann', 'other').hold.reserve(100)).toBe(true);
    const large = connect('ann', 'large');
    expect(large.hold.reserve(151)).toBe(false);
    expect(large.hold.reserve(150)).toBe(true);
    expect(ended).toEqual([]);
  });

  it('ends the greediest caller at the total limit, and not the caller who needs the bytes', () => {
    const { budget, connect, ended } = createBudget();
    for (const name of ['a1', 'a2']) expect(connect('ann', name).hold.reserve(180)).toBe(true);
    for (const name of ['b1', 'b2']) expect(connect('bob', name).hold.reserve(160)).toBe(true);
    for (const name of ['c1', 'c2']) expect(connect(undefined, name).hold.reserve(150)).toBe(true);
    expect(connect('dan', 'd').hold.reserve(100)).toBe(true);
    expect(ended).toEqual(['a1']);
    expect(budget.used).toBe(180 + 320 + 300 + 100);
  });

  it('counts loopback addresses by connection only', () => {
    const { connect } = createBudget();
    const holds = ['one', 'two', 'three'].map((name) => connect(undefined, name).hold);
    expect(holds.map((hold) => hold.reserve(200))).toEqual([true, true, true]);
  });

  it('counts the anonymous callers of an address together', () => {
    const { budget } = createBudget();
    const holds = Array.from({ length: 3 }, () =>
      budget.connection({ identity: {}, address: '192.0.2.1' }).hold('answers'),
    );
    expect(holds.map((hold) => hold.reserve(150))).toEqual([true, true, false]);
  });

  it('drops optional bytes before it refuses or ends anything', async () => {
    const { connect, ended, metricOf } = createBudget();
    const { account, hold } = connect('ann', 'one');
    const stream = account.stream({ onShrink: () => replay.releaseAll() });
    const replay = stream.hold('replay');
    expect(replay.reserve(151)).toBe(false);
    expect(replay.reserve(150)).toBe(true);
    expect(await metricOf('gateway_memory_bytes{kind="replay"')).toBe(150);
    expect(hold.reserve(200)).toBe(true);
    expect(replay.bytes).toBe(0);
    expect(ended).toEqual([]);
    expect(await metricOf('gateway_memory_limited_total{action="dropped",limit="connection"')).toBe(
      1,
    );
  });

  it('counts a shared stream only towards what its clients have in common', () => {
    const { budget, connect, ended } = createBudget();
    const [one, two, other] = [connect('ann', '1'), connect('ann', '2'), connect('bob', '3')];
    const stream = one.account.stream({});
    const events = stream.hold('events');
    expect(events.reserve(100)).toBe(true);
    stream.share(one.account);
    expect(one.account.used).toBe(100);
    stream.share(two.account);
    expect(one.account.used).toBe(0);
    expect(two.hold.reserve(200)).toBe(true);
    stream.share(other.account);
    expect(one.hold.reserve(200)).toBe(true);
    expect(ended).toEqual([]);
    expect(budget.used).toBe(500);
    events.releaseAll();
    expect(budget.used).toBe(400);
  });

  it('refuses bytes of an ended account, and counts those that it still holds nowhere', () => {
    const { budget } = createBudget();
    const open = (subject: string) => {
      const onEvict = (): void => {};
      return budget.connection({ identity: { subject }, address: '' }, { onEvict }).hold('answers');
    };
    const slow = open('ann');
    expect(slow.reserve(200)).toBe(true);
    const others = Array.from({ length: 9 }, (_, index) => open(`caller ${index}`));
    expect(others.map((hold) => hold.reserve(100))).not.toContain(false);
    expect(budget.used).toBe(900);
    expect(slow.reserve(1)).toBe(false);
    slow.releaseAll();
    expect(budget.used).toBe(900);
  });
});

type Action =
  | { readonly type: 'reserve' | 'charge' | 'release'; readonly at: number; readonly bytes: number }
  | { readonly type: 'connect'; readonly caller: number }
  | { readonly type: 'stream' | 'share' | 'leave'; readonly at: number; readonly other: number };

const actions: fc.Arbitrary<Action[]> = fc.array(
  fc.oneof(
    fc.record({
      type: fc.constantFrom('reserve' as const, 'charge' as const, 'release' as const),
      at: fc.nat(100),
      bytes: fc.integer({ min: 1, max: 150 }),
    }),
    fc.record({ type: fc.constant('connect' as const), caller: fc.nat(4) }),
    fc.record({
      type: fc.constantFrom('stream' as const, 'share' as const, 'leave' as const),
      at: fc.nat(100),
      other: fc.nat(100),
    }),
  ),
  { maxLength: 80 },
);

/** Accounts with one hold each, as clients and streams use them. */
function createWorld() {
  const budget = createTestBudget(LIMITS);
  type Node = { account: ByteAccount; hold: ByteHold; isStream: boolean };
  const nodes: Node[] = [];
  const leave = (node: Node): void => {
    nodes.splice(nodes.indexOf(node), 1);
    node.hold.releaseAll();
    node.account.close();
  };
  const add = (open: (owner: { onEvict: () => void }) => ByteAccount, isStream: boolean): void => {
    const account = open({ onEvict: () => leave(node) });
    const node = { account, hold: account.hold(isStream ? 'events' : 'queues'), isStream };
    nodes.push(node);
  };
  const at = (index: number, isStream?: boolean): Node | undefined => {
    const found = nodes.filter((node) => isStream === undefined || node.isStream === isStream);
    return found[index % found.length];
  };
  /** Returns whether a reservation succeeded. */
  const run = (action: Action): boolean => {
    if (action.type === 'connect') {
      const identity = action.caller === 0 ? {} : { subject: `caller ${action.caller}` };
      add((owner) => budget.connection({ identity, address: '::1' }, owner), false);
    } else if (action.type === 'stream') {
      const parent = at(action.at, false)?.account;
      if (parent) add((owner) => parent.stream(owner), true);
    } else if (action.type === 'share') {
      const other = at(action.other, false);
      if (other) at(action.at, true)?.account.share(other.account);
    } else if (action.type === 'leave') {
      const node = at(action.at);
      if (node) leave(node);
    } else if ('bytes' in action) {
      const hold = at(action.at)?.hold;
      if (action.type === 'release') hold?.release(Math.min(action.bytes, hold.bytes));
      else if (action.type === 'charge') hold?.charge(action.bytes);
      else return hold?.reserve(action.bytes) ?? false;
    }
    return false;
  };
  return { budget, nodes, run, leave };
}

describe('the accounts of a byte budget under random use', () => {
  it('add up to the held bytes, and to 0 when all clients have left', () => {
    fc.assert(
      fc.property(actions, (list) => {
        const { budget, nodes, run, leave } = createWorld();
        for (const action of list) {
          if (run(action)) expect(budget.used).toBeLessThanOrEqual(LIMITS.total);
          expect(budget.used).toBe(nodes.reduce((sum, { hold }) => sum + hold.bytes, 0));
        }
        for (const node of [...nodes]) leave(node);
        expect(budget.used).toBe(0);
        expect([budget.held('events'), budget.held('queues')]).toEqual([0, 0]);
      }),
      { numRuns: 200 },
    );
  });
});
