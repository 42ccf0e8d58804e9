import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CatchUpOwner, createCatchUpGate } from './catch-up-gate.ts';

const UNLIMITED = { spend: () => {}, waitMs: () => 0 };

describe('a gate of catch-ups', () => {
  it('leaves slots for the catch-ups of other subgraphs while one does not answer', async () => {
    const gate = createCatchUpGate(50, UNLIMITED);
    const started: string[] = [];
    const enter = (subgraph: string, owner: number) =>
      gate.enter({ key: `${owner}` }, { subgraph, weight: 1 }, () => started.push(subgraph));
    const hanging = Array.from({ length: 500 }, (_, owner) => enter('hanging', owner));
    expect(started).toHaveLength(40);
    const leave = enter('other', 1_000);
    expect(started.at(-1)).toBe('other');
    leave();
    for (const end of hanging.slice(0, 40)) end();
    await Promise.resolve();
    expect(started.filter((subgraph) => subgraph === 'hanging')).toHaveLength(80);
  });

  it('starts a later catch-up of an owner if the subgraph of an earlier one has no slot', () => {
    const gate = createCatchUpGate(50, UNLIMITED);
    const started: string[] = [];
    const owner = { key: 'owner' };
    for (let n = 0; n < 40; n += 1) {
      gate.enter({ key: `${n}` }, { subgraph: 'hanging', weight: 1 }, () => {});
    }
    for (const subgraph of ['hanging', 'other']) {
      gate.enter(owner, { subgraph, weight: 1 }, () => started.push(subgraph));
    }
    expect(started).toEqual(['other']);
  });

  it('looks only at the catch-ups of one owner when one more is added', () => {
    const waited: string[] = [];
    const rate = { spend: () => {}, waitMs: (key?: string) => waited.push(key ?? '') && 1_000 };
    const gate = createCatchUpGate(50, rate);
    const owners = Array.from({ length: 16 }, (_, owner) => ({ key: `${owner}` }));
    const enter = (owner: { key: string }) =>
      gate.enter(owner, { subgraph: 'one', weight: 1 }, () => {});
    for (let round = 0; round < 20; round += 1) for (const owner of owners) enter(owner);
    waited.length = 0;
    for (const owner of owners) enter(owner);
    expect(waited).toEqual(owners.map(({ key }) => key));
  });

  it('starts the catch-ups of owners and of subgraphs in turn, each in order of arrival', async () => {
    const gate = createCatchUpGate(10, UNLIMITED);
    const log: string[] = [];
    const leaves: (() => void)[] = [];
    const owners = { a: { key: 'a' }, b: { key: 'b' } };
    const enter = (name: 'a' | 'b', subgraph: string, n: number): void => {
      const leave = gate.enter(owners[name], { subgraph, weight: 1 }, () => {
        log.push(`${name}${n} ${subgraph}`);
        leaves.push(() => leave());
      });
    };
    for (let n = 0; n < 3; n += 1) {
      for (const subgraph of ['x', 'y'])
        for (const name of ['a', 'b'] as const) enter(name, subgraph, n);
    }
    while (leaves.length > 0) {
      leaves.shift()?.();
      await Promise.resolve();
    }
    expect(log).toEqual([
      ...['a0 x', 'b0 x', 'a0 y', 'b0 y', 'a1 x', 'b1 x', 'a1 y', 'b1 y', 'a2 x', 'b2 x'],
      ...['a2 y', 'b2 y'],
    ]);
  });

  it('never runs more catch-ups than its limits, and starts all of them', async () => {
    const model = fc.array(fc.tuple(fc.nat(5), fc.nat(2), fc.boolean()), { maxLength: 300 });
    await fc.assert(
      fc.asyncProperty(model, async (steps) => {
        const gate = createCatchUpGate(20, UNLIMITED);
        const owners = Array.from({ length: 6 }, (_, owner) => ({ key: `${owner}` }));
        const running: { owner: number; subgraph: number; leave: () => void }[] = [];
        let started = 0;
        const check = (): void => {
          const most = (key: 'owner' | 'subgraph', count: number): number =>
            Math.max(
              ...Array.from(
                { length: count },
                (_, n) => running.filter((one) => one[key] === n).length,
              ),
            );
          expect(running.length).toBeLessThanOrEqual(20);
          expect(most('owner', 6)).toBeLessThanOrEqual(2);
          expect(most('subgraph', 3)).toBeLessThanOrEqual(16);
        };
        const finish = async (): Promise<void> => {
          running.shift()?.leave();
          await Promise.resolve();
          check();
        };
        for (const [owner, subgraph, leaves] of steps) {
          const run = { owner, subgraph, leave: () => {} };
          run.leave = gate.enter(
            owners[owner] as CatchUpOwner,
            { subgraph: `${subgraph}`, weight: 1 },
            () => {
              started += 1;
              running.push(run);
            },
          );
          check();
          if (leaves) await finish();
        }
        while (running.length > 0) await finish();
        expect(started).toBe(steps.length);
      }),
      { numRuns: 50, seed: 1 },
    );
  });
});
