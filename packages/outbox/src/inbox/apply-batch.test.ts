import { describe, expect, it } from 'vitest';
import { applyBatch, type Readable } from './apply-batch.ts';

const readable = (message: number): Readable<number> => ({
  message,
  record: {
    topic: 't',
    partition: 0,
    offset: String(message),
    timestamp: '0',
    key: null,
    value: null,
    headers: {},
  },
});
const refused = Object.assign(new Error('no\ntoo large'), { code: '22003' });

async function run(count: number, isBad: (message: number) => boolean, letters: string[] = []) {
  const applied: number[] = [];
  const set: string[] = [];
  let calls = 0;
  await applyBatch({
    batch: Array.from({ length: count }, (_, index) => readable(index)),
    letters: letters.map((reason) => ({ record: readable(0).record, reason })),
    apply: async (batch, written) => {
      calls += 1;
      if (batch.some(({ message }) => isBad(message))) throw refused;
      applied.push(...batch.map(({ message }) => message));
      set.push(...written.map(({ record, reason }) => `${record.offset} ${reason}`));
    },
  });
  return { applied, set, calls };
}

describe('applyBatch', () => {
  it('is one call, letters included, when nothing is wrong', async () => {
    expect(await run(3, () => false, ['bad'])).toEqual({
      applied: [0, 1, 2],
      set: ['0 bad'],
      calls: 1,
    });
    expect((await run(0, () => false)).calls).toBe(0);
    expect((await run(0, () => false, ['bad'])).set).toEqual(['0 bad']);
  });

  it('finds one bad record of 1,000 in few calls, and keeps the order of the others', async () => {
    const { applied, set, calls } = await run(1_000, (message) => message === 617, ['bad']);
    expect(applied).toEqual(Array.from({ length: 1_000 }, (_, i) => i).filter((i) => i !== 617));
    expect(set).toEqual(['0 bad', '617 PostgreSQL refused it: too large']);
    expect(calls).toBeLessThan(30);
  });

  it('sets all aside when all are bad', async () => {
    const { applied, set } = await run(5, () => true);
    expect([applied, set.map((text) => text[0])]).toEqual([[], ['0', '1', '2', '3', '4']]);
  });

  it.each([
    ['an outage', Object.assign(new Error('gone'), { code: '57P01' })],
    [
      'a repeat that another consumer was faster with',
      Object.assign(new Error('twice'), { code: '23505' }),
    ],
    ['a bug', new TypeError('x')],
  ])('throws %s after one call', async (_name, error) => {
    let calls = 0;
    const applying = applyBatch({
      batch: [readable(1), readable(2)],
      apply: async () => {
        calls += 1;
        throw error;
      },
    });
    await expect(applying).rejects.toBe(error);
    expect(calls).toBe(1);
  });

  it('blames no record for letters that are refused', async () => {
    const applying = applyBatch({
      batch: [readable(1)],
      letters: [{ record: readable(0).record, reason: 'bad' }],
      apply: async (_batch, letters) => {
        if (letters.length > 0) throw refused;
      },
    });
    await expect(applying).rejects.toBe(refused);
  });
});
