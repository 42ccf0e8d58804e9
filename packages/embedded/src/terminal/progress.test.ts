import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createProgress, showWhile } from './progress.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function written(isTTY: boolean) {
  const chunks: string[] = [];
  const write = (text: string) => chunks.push(text) > 0;
  const progress = createProgress({ isTTY, columns: 50, write } as unknown as NodeJS.WriteStream);
  return { progress, take: () => chunks.splice(0).join('') };
}

describe('createProgress', () => {
  it('shows slow steps on the last line, below permanent text', () => {
    const { progress, take } = written(true);
    progress.step('kafka', 'Fetching Kafka');
    progress.step('order', 'Starting order');
    vi.advanceTimersByTime(500);
    expect(take()).toBe('');
    vi.advanceTimersByTime(750);
    expect(take()).toMatch(/ {2}… Fetching Kafka \(1 s\) · Starting order \(1 s\)$/);
    progress.print('a line\n');
    expect(take()).toBe('\r\u001b[2Ka line\n');
    progress.done('order');
    progress.step('kafka', 'Fetching Kafka: 12 of 43 MB, which is more than fits');
    vi.advanceTimersByTime(250);
    expect(take()).toBe('  … Fetching Kafka: 12 of 43 MB, which is more th');
    progress.done('kafka');
    expect(take()).toBe('\r\u001b[2K');
    vi.advanceTimersByTime(5_000);
    expect(take()).toBe('');
  });

  it('writes no steps if the output is not a terminal', () => {
    const { progress, take } = written(false);
    progress.step('kafka', 'Fetching Kafka');
    vi.advanceTimersByTime(5_000);
    progress.print('a line\n');
    progress.done('kafka');
    expect(take()).toBe('a line\n');
  });
});

describe('showWhile', () => {
  it.each([
    ['ended', async () => 'ready'],
    [
      'failed',
      async () => {
        throw new Error('no Java');
      },
    ],
  ])('shows the step of a start until the start has %s', async (_how, end) => {
    const { progress, take } = written(true);
    const start = showWhile(progress, ['kafka', 'Starting kafka'], async () => {
      progress.step('kafka', 'Fetching Kafka');
      vi.advanceTimersByTime(1_000);
      return end();
    });
    expect(take()).toMatch(/Fetching Kafka \(1 s\)$/);
    const [settled] = await Promise.allSettled([start]);
    expect(settled).toEqual((await Promise.allSettled([end()]))[0]);
    expect(take()).toBe('\r\u001b[2K');
    vi.advanceTimersByTime(5_000);
    expect(take()).toBe('');
  });
});
