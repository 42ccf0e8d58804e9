import { describe, expect, it } from 'vitest';
import { retryConflicts } from './retry-conflicts.ts';

const coded = (code: string): Error => Object.assign(new Error(code), { code });

describe('retryConflicts', () => {
  it.each(['40001', '40P01', '55P03', 'P2034'])('repeats a transaction after %s', async (code) => {
    const failures = [coded(code), coded(code)];
    const result = await retryConflicts(async () => {
      const failure = failures.pop();
      if (failure) throw failure;
      return 'done';
    });
    expect(result).toBe('done');
  });

  it('stops after five attempts', async () => {
    let attempts = 0;
    const failing = retryConflicts(async () => {
      attempts += 1;
      throw coded('40P01');
    });
    await expect(failing).rejects.toThrow('40P01');
    expect(attempts).toBe(5);
  });

  it.each(['23505', '08006', '57014', '40003', 'P2028'])(
    'does not repeat a transaction after %s',
    async (code) => {
      let attempts = 0;
      const failing = retryConflicts(async () => {
        attempts += 1;
        throw coded(code);
      });
      await expect(failing).rejects.toThrow(code);
      expect(attempts).toBe(1);
    },
  );
});
