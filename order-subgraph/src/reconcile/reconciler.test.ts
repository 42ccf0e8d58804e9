import { describe, expect, it } from 'vitest';
import { nextBatchSize } from './reconciler.ts';

describe('nextBatchSize', () => {
  it('starts with one order', () => {
    expect(nextBatchSize({ size: 0, undecided: 0 })).toBe(1);
  });

  it('doubles, up to 500 orders, if every order of the last round was decided', () => {
    const sizes: number[] = [];
    let size = 0;
    for (let round = 0; round < 12; round += 1) {
      size = nextBatchSize({ size, undecided: 0 });
      sizes.push(size);
    }
    expect(sizes).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 500, 500, 500]);
  });

  it('returns to one order if an order of the last round is still PENDING', () => {
    expect(nextBatchSize({ size: 256, undecided: 1 })).toBe(1);
  });
});
