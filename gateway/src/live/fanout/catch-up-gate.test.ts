import { describe, expect, it } from 'vitest';
import { createCatchUpGate } from './catch-up-gate.ts';

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
});
