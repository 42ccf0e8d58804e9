import { describe, expect, it } from 'vitest';
import { LowWaterMark } from './low-water-mark.ts';

const rows = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => ({ id: String(from + index) }));

describe('LowWaterMark', () => {
  it('does not move before enough rows were read', async () => {
    const mark = new LowWaterMark(10);
    mark.read(rows(11, 40));
    await mark.advance(() => {
      throw new Error('not yet');
    });
    mark.read([]);
    expect(mark.value).toBe(10);
  });

  it('moves to the last row that was read if no transaction writes', async () => {
    const mark = new LowWaterMark(0);
    mark.read(rows(1, 500));
    await mark.advance(async () => []);
    expect(mark.value).toBe(0);
    mark.read(rows(501, 502));
    expect(mark.value).toBe(500);
  });

  it('does not pass a row that waits', async () => {
    const mark = new LowWaterMark(0);
    mark.read(rows(1, 500));
    await mark.advance(async () => []);
    mark.read(rows(73, 502));
    expect(mark.value).toBe(72);
    mark.read(rows(503, 504));
    expect(mark.value).toBe(500);
  });

  it('waits until all transactions that wrote before the move have ended', async () => {
    const mark = new LowWaterMark(0);
    const step = async (from: number, writers: string[]): Promise<number> => {
      mark.read(rows(from, from + 499));
      await mark.advance(async () => writers);
      mark.read([]);
      return mark.value;
    };
    expect(await step(1, ['3/7', '4/1'])).toBe(0);
    expect(await step(501, ['4/1', '5/2'])).toBe(0);
    // The writers of the first step have ended, so its rows are final. Another writer is active.
    expect(await step(1_001, ['5/2'])).toBe(500);
    expect(await step(1_501, ['6/2'])).toBe(1_500);
    expect(await step(2_001, ['7/3'])).toBe(2_000);
    expect(await step(2_501, [])).toBe(3_000);
  });

  it('returns to a row that was found below it', async () => {
    const mark = new LowWaterMark(900);
    mark.lower(5);
    expect(mark.value).toBe(4);
    mark.lower(700);
    expect(mark.value).toBe(4);
  });
});
