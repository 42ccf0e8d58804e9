import { UNRESTRICTED } from '@gudang/auth';
import { describe, expect, it } from 'vitest';
import { createEventRun } from './event-run.ts';

/** Returns the number of events of a stream that are executed together. */
function togetherOf(cost: number, isJoined: boolean): number {
  const upstream = { query: '', operationName: undefined, takeMarks: () => ({}) };
  const plan = { subgraph: 'items', isJoined, upstream, variables: [] };
  return createEventRun(
    { plan: plan as never, variables: {}, identity: UNRESTRICTED, cost },
    { execute: () => async () => [] },
    { of: () => ({ wsUrl: '', subscribe: () => () => {} }) },
  ).together;
}

describe('the number of events that are executed together', () => {
  it.each([
    [0.5, 32],
    [4, 32],
    [20, 12],
    [50, 5],
    [51, 1],
  ])('depends on the cost of each: %d leads to %d', (cost, count) => {
    expect(togetherOf(cost, true)).toBe(count);
  });

  it('is one if no other subgraph adds fields', () => expect(togetherOf(4, false)).toBe(1));
});
