import { describe, expect, it } from 'vitest';
import type { LoggedChange } from './change-log.ts';
import { createWatchers, type Watch } from './watchers.ts';

const change = (key: string, offset: number): LoggedChange => ({
  offset,
  epoch: 'one',
  key,
  version: offset,
  value: Buffer.from(''),
  at: 0,
});
const offsetOf = async (watch: Watch) => {
  const watched = await watch.next();
  return typeof watched === 'object' ? watched.offset : watched;
};

describe('createWatchers', () => {
  it('delivers changes of watched keys in order, to waiting and to busy watchers', async () => {
    const watchers = createWatchers(10);
    const [one, all] = [watchers.watch(['a', 'b', 'a']), watchers.watch(undefined)];
    const first = offsetOf(one);
    for (const [offset, key] of ['a', 'c', 'b'].entries()) watchers.publish(change(key, offset));
    expect([await first, await offsetOf(one)]).toEqual([0, 2]);
    expect([await offsetOf(all), await offsetOf(all), await offsetOf(all)]).toEqual([0, 1, 2]);
  });

  it('delivers earlier changes first', async () => {
    const watchers = createWatchers(1);
    const watch = watchers.watch(['a'], [change('a', 0), change('a', 1)]);
    watchers.publish(change('a', 2));
    expect([await offsetOf(watch), await offsetOf(watch), await offsetOf(watch)]).toEqual([
      0, 1, 2,
    ]);
  });

  it('delivers `missed` once to a watcher that lags too far', async () => {
    const watchers = createWatchers(3);
    const watch = watchers.watch(['a']);
    for (let offset = 0; offset < 4; offset += 1) watchers.publish(change('a', offset));
    watchers.publish(change('a', 4));
    expect([await offsetOf(watch), await offsetOf(watch)]).toEqual(['missed', 4]);
    const next = offsetOf(watch);
    watchers.publish(change('a', 5));
    expect(await next).toBe(5);
  });

  it('delivers `missed` once to every watcher', async () => {
    const watchers = createWatchers(3);
    const [two, all] = [watchers.watch(['a', 'b']), watchers.watch(undefined)];
    watchers.publish(change('a', 0));
    watchers.missed(0);
    watchers.publish(change('b', 1));
    expect([await offsetOf(two), await offsetOf(two)]).toEqual(['missed', 1]);
    expect([await offsetOf(all), await offsetOf(all)]).toEqual(['missed', 1]);
  });

  it('states a time before all changes that `missed` replaces', async () => {
    const at = (time: number): LoggedChange => ({ ...change('a', time), at: time });
    const watchers = createWatchers(2);
    const [read, unread, slow] = [0, 1, 2].map(() => watchers.watch(['a'])) as [
      Watch,
      Watch,
      Watch,
    ];
    watchers.publish(at(10));
    watchers.publish(at(20));
    for (let taken = 0; taken < 2; taken += 1) await read.next();
    await slow.next();
    watchers.publish(at(30));
    watchers.publish(at(40));
    // `unread` and `slow` have too many pending changes by now; `read` misses the changes after 40.
    for (let taken = 0; taken < 2; taken += 1) await read.next();
    watchers.missed(40);
    watchers.missed(50);
    for (const [watch, since] of [
      [read, 40],
      [unread, 10],
      [slow, 20],
    ] as const) {
      expect(await watch.next()).toBe('missed');
      expect(watch.missedSince()).toBe(since);
    }
  });

  it('delivers a change to the watchers of each of its keys', async () => {
    const watchers = createWatchers(3);
    const owned = { ...change('a', 0), moreKeys: ['owner:siti', 'product:kopi'] };
    const watches = ['a', 'owner:siti', 'owner:budi', 'product:kopi'].map((key) =>
      watchers.watch([key]),
    );
    watchers.publish(owned);
    watchers.publish({ ...change('b', 1), moreKeys: ['owner:budi'] });
    expect(await Promise.all(watches.map(offsetOf))).toEqual([0, 0, 1, 0]);
  });

  it('resolves a waiting call of `next` on close, and delivers nothing afterwards', async () => {
    const watchers = createWatchers(3);
    const [watch, other] = [watchers.watch(['a']), watchers.watch(['a'])];
    const waiting = offsetOf(watch);
    watch.close();
    watch.close();
    expect(await waiting).toBeUndefined();
    watchers.publish(change('a', 0));
    expect(await offsetOf(watch)).toBeUndefined();
    expect(await offsetOf(other)).toBe(0);
    expect(watchers.count()).toBe(1);
    other.close();
    expect(watchers.count()).toBe(0);
  });

  it('publishes a change at a cost that is independent of the watchers of other keys', () => {
    const watchers = createWatchers(10);
    for (let index = 0; index < 50_000; index += 1) watchers.watch([`other${index}`]);
    const from = performance.now();
    for (let offset = 0; offset < 20_000; offset += 1) watchers.publish(change('mine', offset));
    // Visiting 50,000 watchers for each change would take minutes.
    expect(performance.now() - from).toBeLessThan(1_000);
  });
});
