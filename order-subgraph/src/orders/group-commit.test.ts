import { describe, expect, it } from 'vitest';
import { createGroupCommit } from './group-commit.ts';

/** Creates groups that finish when the test calls `finish`. */
function controlledGroups() {
  const groups: { inputs: readonly number[]; finish: () => void }[] = [];
  const run = (inputs: readonly number[]): Promise<readonly number[]> =>
    new Promise((resolve) => {
      groups.push({ inputs, finish: () => resolve(inputs.map((input) => input * 10)) });
    });
  return { groups, run };
}
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('createGroupCommit', () => {
  it('runs a single request immediately and groups the requests that arrive meanwhile', async () => {
    const { groups, run } = controlledGroups();
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

  it('limits the size of a group', async () => {
    const { groups, run } = controlledGroups();
    const commit = createGroupCommit({ run, limit: 2, separable: () => false });
    const all = [1, 2, 3, 4].map(commit);
    for (let index = 0; index < 3; index += 1) {
      groups[index]?.finish();
      await turn();
    }
    expect(await Promise.all(all)).toEqual([10, 20, 30, 40]);
    expect(groups.map(({ inputs }) => inputs)).toEqual([[1], [2, 3], [4]]);
  });

  it('fails only the request whose data is invalid', async () => {
    const commit = createGroupCommit<number, number>({
      run: async (inputs) => {
        await turn();
        if (inputs.includes(13)) throw new Error('invalid');
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

  it('fails the whole group on an error that no single request caused, and runs the next group', async () => {
    let down = true;
    const commit = createGroupCommit<number, number>({
      run: async (inputs) => {
        await turn();
        if (down) throw new Error('the database is unavailable');
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
