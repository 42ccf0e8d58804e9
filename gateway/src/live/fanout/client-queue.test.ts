import { describe, expect, it } from 'vitest';
import { openTestAccount } from '../../testing/test-budget.ts';
import { createPayload, type LivePayload } from '../upstream/live-payload.ts';
import { ClientQueue } from './client-queue.ts';

let seq = 0;
const event = (key: string): LivePayload => {
  seq += 1;
  return createPayload({ data: { key } }, { cursor: `c${seq}`, key }, { seq });
};

function openQueue(groups: boolean, messages = 100) {
  const limits = { messages, bytes: 100_000 };
  const hold = openTestAccount().hold('queues');
  const queue = new ClientQueue({ limits, hold, groups, onSize: () => {} });
  const add = (keys: string): boolean => [...keys].every((key) => queue.add(event(key), 0));
  /** Takes payloads one by one, as `a2…` for a payload of `a` that replaces two others and has `more`. */
  const take = (count: number): string =>
    Array.from({ length: count }, () => queue.take(1))
      .flat()
      .map(({ payload, conflated, more }) => `${payload.key}${conflated || ''}${more ? '…' : ''}`)
      .join(' ');
  return { add, take, queue, hold };
}

describe('ClientQueue', () => {
  it.each([
    ['abc', 'a b c'],
    ['abca', 'b… c… a1'],
    ['aab', 'a1 b'],
    ['abab', 'a1… b1'],
    ['abcbd', 'a c… b1 d'],
    ['abcaba', 'c… b1… a2'],
  ])('marks the payloads between a replaced one and its replacement: %s', (keys, expected) => {
    const { add, take, hold } = openQueue(true);
    add(keys);
    expect(take(10)).toBe(expected);
    expect(hold.bytes).toBe(0);
  });

  it('ends each group, however many payloads arrive while it is taken', () => {
    const { add, take } = openQueue(true);
    add('abca');
    const taken: string[] = [];
    for (let round = 0; round < 12; round += 1) {
      taken.push(take(1));
      add('abc');
    }
    const ends = taken.filter((one) => !one.endsWith('…'));
    expect(ends.length).toBeGreaterThanOrEqual(3);
  });

  it('does not count the payloads of the group that is being taken towards the limit', () => {
    const { add, take } = openQueue(true, 4);
    expect(add('abcda')).toBe(true);
    expect(take(1)).toBe('b…');
    expect(add('bcda')).toBe(true);
    expect(add('e')).toBe(false);
  });

  it('replaces as many payloads as possible for clients that do not receive groups', () => {
    const { add, take, queue } = openQueue(false, 4);
    add('abcda');
    expect(take(1)).toBe('b');
    expect(add('cda')).toBe(true);
    expect(queue.size).toBe(3);
    expect(take(10)).toBe('c1 d1 a2');
  });
});
