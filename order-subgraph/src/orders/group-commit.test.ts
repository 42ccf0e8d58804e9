import { describe, expect, it } from 'vitest';
import { createGroupCommit } from './group-commit.ts';

/** A group's work that ends when the test says so. */
function heldGroups() {
  const groups: { inputs: readonly number[]; finish: () => void }[] = [];
  const run = (inputs: readonly number[]): Promise<readonly number[]> =>
    new Promise((resolve) => {
      groups.push({ inputs, finish: () => resolve(inputs.map((input) => input * 10)) });
    });
  return { groups, run };
}
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('createGroupCommit', () => {
  it('runs a lone request at once, and all that arrive meanwhile as the next group', async () => {
    const { groups, run } = heldGroups();
    const commit = createGroupCommit({ run, limit: 10, separable: () => false });
    const first = commit(1);
    const others = [commit(2), commit(3)];
    expect(groups.map(({ inputs }) => inputs)).toEqual([[1]]);
    groups[0]?.finish();
    expect(await first).toBe(10);
    await turn();
    expect(groups[1]?.inputs).toEqual([2, 3]);
    groups[1]?.finish();
    expect(await Promise.all(others)).toEqual([20, 30]);
  });

  it('keeps groups within the limit', async () => {
    const { groups, run } = heldGroups();
    const commit = createGroupCommit({ run, limit: 2, separable: () => false });
    const all = [1, 2, 3, 4].map(commit);
    for (let index = 0; index < 3; index += 1) {
      groups[index]?.finish();
      await turn();
    }
    expect(await Promise.all(all)).toEqual([10, 20, 30, 40]);
    expect(groups.map(({ inputs }) => inputs)).toEqual([[1], [2, 3], [4]]);
  });

  it('fails a bad one alone', async () => {
    const commit = createGroupCommit<number, number>({
      run: async (inputs) => {
        await turn();
        if (inputs.includes(13)) throw new Error('unlucky');
        return inputs;
      },
      limit: 10,
      separable: () => true,
    });
    const results = await Promise.allSettled([1, 2, 13, 4].map(commit));
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
  });

  it('fails the whole group when no single one can be at fault, and goes on', async () => {
    let down = true;
    const commit = createGroupCommit<number, number>({
      run: async (inputs) => {
        await turn();
        if (down) throw new Error('the database is away');
        return inputs;
      },
      limit: 10,
      separable: () => false,
    });
    const results = await Promise.allSettled([1, 2].map(commit));
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    down = false;
    expect(await commit(3)).toBe(3);
  });
});
