import type { SqlClient } from '@gudang/postgres';
import { describe, expect, it } from 'vitest';
import { applyBatch, type InboxMessage } from './apply-batch.ts';

const messageOf = (message: number): InboxMessage<number> => ({
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
const transaction: SqlClient = {
  $queryRawUnsafe: async () => [] as never,
  $executeRawUnsafe: async () => 0,
};
const refused = Object.assign(new Error('no\ntoo large'), { code: '22003' });

async function run(
  count: number,
  isBad: (message: number) => boolean,
  reasons: string[] = [],
  error: Error = refused,
) {
  const applied: number[] = [];
  const dead: string[] = [];
  let calls = 0;
  await applyBatch<number>({
    topic: 't',
    messages: Array.from({ length: count }, (_, index) => messageOf(index)),
    unreadable: reasons.map((reason) => ({ record: messageOf(0).record, reason })),
    apply: async (messages, deadLetters) => {
      calls += 1;
      if (messages.some(({ message }) => isBad(message))) throw error;
      applied.push(...messages.map(({ message }) => message));
      await deadLetters.write(transaction);
    },
    onDeadLetters: (letters) => {
      dead.push(...letters.map(({ record, reason }) => `${record.offset} ${reason}`));
    },
  });
  return { applied, dead, calls };
}

describe('applyBatch', () => {
  it('applies a batch and its dead letters in one call', async () => {
    expect(await run(3, () => false, ['bad'])).toEqual({
      applied: [0, 1, 2],
      dead: ['0 bad'],
      calls: 1,
    });
    expect((await run(0, () => false)).calls).toBe(0);
    expect((await run(0, () => false, ['bad'])).dead).toEqual(['0 bad']);
  });

  it('finds one bad record of 1,000 in few calls, and keeps the order of the other records', async () => {
    const { applied, dead, calls } = await run(1_000, (message) => message === 617, ['bad']);
    expect(applied).toEqual(Array.from({ length: 1_000 }, (_, i) => i).filter((i) => i !== 617));
    expect(dead).toEqual(['0 bad', '617 PostgreSQL refused it: too large']);
    expect(calls).toBeLessThan(30);
  });

  it('dead-letters the record for which a defect throws, and applies the others', async () => {
    const defect = new TypeError('x is undefined');
    const { applied, dead } = await run(10, (message) => message === 7, [], defect);
    expect(applied).toEqual([0, 1, 2, 3, 4, 5, 6, 8, 9]);
    expect(dead).toEqual(['7 applying failed: TypeError: x is undefined']);
  });

  it('dead-letters every record of a batch', async () => {
    const { applied, dead } = await run(5, () => true);
    expect([applied, dead.map((text) => text[0])]).toEqual([[], ['0', '1', '2', '3', '4']]);
  });

  it.each([
    ['an outage', Object.assign(new Error('gone'), { code: '57P01' })],
    [
      'a conflict with a consumer that has just applied the same message',
      Object.assign(new Error('twice'), { code: '23505' }),
    ],
    ['a missing table', Object.assign(new Error('gone'), { code: '42P01' })],
    ['an outage that a TypeError reports', new TypeError('x', { cause: { code: 'ECONNRESET' } })],
    ['an unknown error', new Error('x')],
  ])('throws %s after one call', async (_name, error) => {
    let calls = 0;
    const applying = applyBatch({
      topic: 't',
      messages: [messageOf(1), messageOf(2)],
      apply: async () => {
        calls += 1;
        throw error;
      },
    });
    await expect(applying).rejects.toBe(error);
    expect(calls).toBe(1);
  });

  it('does not dead-letter a message if PostgreSQL refuses only the dead letters', async () => {
    const failing = { ...transaction, $executeRawUnsafe: () => Promise.reject(refused) };
    const applying = applyBatch({
      topic: 't',
      messages: [messageOf(1)],
      unreadable: [{ record: messageOf(0).record, reason: 'bad' }],
      apply: async (_messages, deadLetters) => {
        await deadLetters.write(failing);
      },
    });
    await expect(applying).rejects.toBe(refused);
  });
});
