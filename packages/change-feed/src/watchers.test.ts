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
const told = async (watch: Watch) => {
  const watched = await watch.next();
  return typeof watched === 'object' ? watched.offset : watched;
};

describe('watchers', () => {
  it('are handed what they watch, in order, whether they wait for it or not', async () => {
    const watchers = createWatchers(10);
    const [one, all] = [watchers.watch(['a', 'b', 'a']), watchers.watch(undefined)];
    const first = told(one);
    for (const [offset, key] of ['a', 'c', 'b'].entries()) watchers.show(change(key, offset));
    expect([await first, await told(one)]).toEqual([0, 2]);
    expect([await told(all), await told(all), await told(all)]).toEqual([0, 1, 2]);
  });

  it('begin with what was before, and go on with what comes', async () => {
    const watchers = createWatchers(1);
    const watch = watchers.watch(['a'], [change('a', 0), change('a', 1)]);
    watchers.show(change('a', 2));
    expect([await told(watch), await told(watch), await told(watch)]).toEqual([0, 1, 2]);
  });

  it('that lag too far are told so, once, and go on from there', async () => {
    const watchers = createWatchers(3);
    const watch = watchers.watch(['a']);
    for (let offset = 0; offset < 4; offset += 1) watchers.show(change('a', offset));
    watchers.show(change('a', 4));
    expect([await told(watch), await told(watch)]).toEqual(['missed', 4]);
    const next = told(watch);
    watchers.show(change('a', 5));
    expect(await next).toBe(5);
  });

  it('are all told when what they have shown may be void, each once', async () => {
    const watchers = createWatchers(3);
    const [two, all] = [watchers.watch(['a', 'b']), watchers.watch(undefined)];
    watchers.show(change('a', 0));
    watchers.missed();
    watchers.show(change('b', 1));
    expect([await told(two), await told(two)]).toEqual(['missed', 1]);
    expect([await told(all), await told(all)]).toEqual(['missed', 1]);
  });

  it('get nothing once closed, and whoever waits is let go', async () => {
    const watchers = createWatchers(3);
    const [watch, other] = [watchers.watch(['a']), watchers.watch(['a'])];
    const waiting = told(watch);
    watch.close();
    watch.close();
    expect(await waiting).toBeUndefined();
    watchers.show(change('a', 0));
    expect(await told(watch)).toBeUndefined();
    expect(await told(other)).toBe(0);
    expect(watchers.count()).toBe(1);
    other.close();
    expect(watchers.count()).toBe(0);
  });

  it('cost a change nothing when they watch other keys', () => {
    const watchers = createWatchers(10);
    for (let index = 0; index < 50_000; index += 1) watchers.watch([`other${index}`]);
    const from = performance.now();
    for (let offset = 0; offset < 20_000; offset += 1) watchers.show(change('mine', offset));
    // Going through 50,000 watchers for each would take minutes.
    expect(performance.now() - from).toBeLessThan(1_000);
  });
});
