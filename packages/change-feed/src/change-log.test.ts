import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Arrival, ChangeLog } from './change-log.ts';

const change = (
  offset: number,
  given: Partial<Arrival['change']> & { term?: number } = {},
): Arrival => {
  const { term = 1, ...rest } = given;
  const plain = { offset, epoch: 'one', key: 'a', version: offset + 1, at: offset };
  return { term, change: { ...plain, value: Buffer.from(''), ...rest } };
};

describe('ChangeLog', () => {
  let log: ChangeLog;
  beforeEach(() => {
    log = new ChangeLog(10);
    log.startAt(0, 'one');
  });
  const offsetsSince = (offset: number) => log.since(offset)?.map((found) => found.offset);

  it('appends successive changes', () => {
    expect([0, 1, 2].map((offset) => log.append(change(offset)))).toEqual(['new', 'new', 'new']);
    expect(log.next).toBe(3);
    expect(log.newestAt).toBe(2);
    expect(offsetsSince(1)).toEqual([1, 2]);
    expect(offsetsSince(3)).toEqual([]);
  });

  it('drops a change that is not newer than the key’s version', () => {
    log.append(change(0, { version: 5 }));
    expect(log.append(change(1, { version: 5 }))).toBe('stale');
    expect(log.append(change(2, { version: 4 }))).toBe('stale');
    expect(log.append(change(3, { key: 'b', version: 1 }))).toBe('new');
    expect(log.append(change(4, { version: 6 }))).toBe('new');
    expect(offsetsSince(0)).toEqual([0, 3, 4]);
    expect(log.next).toBe(5);
  });

  it('drops the late batch of a replaced relay, even if its versions are higher', () => {
    log.append(change(0, { term: 2 }));
    expect(log.append(change(1, { term: 1, version: 99 }))).toBe('stale');
    expect(log.append(change(2, { term: 2, version: 2 }))).toBe('new');
  });

  it('drops a change that it has read before', () => {
    log.append(change(0));
    log.append(change(1));
    expect(log.append(change(0, { version: 50 }))).toBe('stale');
    expect(log.next).toBe(2);
  });

  it('returns `broken` at a gap, and then replays only the changes after the gap', () => {
    log.append(change(0));
    expect(log.append(change(5))).toBe('broken');
    expect(offsetsSince(4)).toBeUndefined();
    expect(offsetsSince(5)).toEqual([5]);
  });

  it('returns `broken` at a new epoch, and accepts its lower versions and terms', () => {
    log.append(change(0, { version: 9, term: 4 }));
    expect(log.append(change(1, { epoch: 'two', version: 1, term: 1 }))).toBe('broken');
    expect(log.epoch).toBe('two');
    expect(log.append(change(2, { epoch: 'two', version: 2 }))).toBe('new');
    expect(offsetsSince(0)).toBeUndefined();
  });

  it('returns `broken` when a new topic starts at offset 0', () => {
    for (const offset of [0, 1, 2]) log.append(change(offset));
    expect(log.append(change(0, { epoch: 'two' }))).toBe('broken');
    expect(log.next).toBe(1);
  });

  it('never returns to a past epoch', () => {
    log.append(change(0));
    log.append(change(1, { epoch: 'two' }));
    expect(log.append(change(2, { epoch: 'one', version: 99, term: 99 }))).toBe('stale');
    expect(log.append(change(3, { epoch: 'two' }))).toBe('new');
    expect(log.epoch).toBe('two');
  });

  it('returns `broken` once for the announcement of a new epoch', () => {
    log.append(change(0));
    expect(log.skip(1, 'two')).toBe('broken');
    expect(log.skip(2, 'two')).toBe('stale');
    expect(log.skip(3, 'one')).toBe('stale');
    expect(log.next).toBe(4);
    expect(offsetsSince(2)).toEqual([]);
  });

  it("restarts at a change of an earlier epoch if no change of the database's epoch has arrived yet", () => {
    log = new ChangeLog(10);
    log.startAt(7, 'two');
    expect(log.append(change(7, { epoch: 'one' }))).toBe('broken');
    expect(log.append(change(8, { epoch: 'two' }))).toBe('broken');
    expect(log.append(change(9, { epoch: 'two' }))).toBe('new');
  });

  it('does not report a gap for a skipped record of another system', () => {
    log.append(change(0));
    expect(log.skip(1)).toBe('stale');
    expect(log.append(change(2))).toBe('new');
    // A skipped record after a gap does not hide the gap.
    log.skip(9);
    expect(log.append(change(10))).toBe('broken');
  });

  it('keeps the newest changes up to its capacity, and the versions of only these changes', () => {
    for (let offset = 0; offset < 15; offset += 1) {
      log.append(change(offset, { key: `k${offset}`, version: 7 }));
    }
    expect(offsetsSince(4)).toBeUndefined();
    expect(offsetsSince(5)).toHaveLength(10);
    expect(log.append(change(15, { key: 'k9', version: 7 }))).toBe('stale');
    expect(log.append(change(16, { key: 'k0', version: 7 }))).toBe('new');
  });

  it('returns the changes of some keys as filtering all changes would', () => {
    const keys = ['a', 'b', 'c', 'owner:a', 'owner:b'];
    const appended = fc.array(
      fc.record({ key: fc.constantFrom('a', 'b', 'c'), owner: fc.constantFrom('a', 'b') }),
      { maxLength: 60 },
    );
    const asked = fc.array(fc.constantFrom(...keys), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(appended, asked, fc.nat(60), (all, wanted, from) => {
        const filled = new ChangeLog(10);
        filled.startAt(0, 'one');
        for (const [offset, { key, owner }] of all.entries()) {
          filled.append(change(offset, { key, moreKeys: [`owner:${owner}`] }));
        }
        const expected = filled
          .since(from)
          ?.filter(({ key, moreKeys = [] }) =>
            [key, ...moreKeys].some((one) => wanted.includes(one)),
          );
        const found = filled.since(from, wanted);
        expect(found && [...new Set(found)]).toEqual(expected);
      }),
    );
  });

  it('starts at a given offset, unless it has already read a record', () => {
    log.startAt(100, 'two');
    expect(log.next).toBe(100);
    expect(offsetsSince(99)).toBeUndefined();
    expect(offsetsSince(100)).toEqual([]);
    log.append(change(100, { epoch: 'two' }));
    log.startAt(0, 'one');
    expect(log.next).toBe(101);
  });
});
