import { parseCursor } from '@gudang/change-feed';
import { describe, expect, it, vi } from 'vitest';
import { createStreamPlace } from './position-tracker.ts';

const EPOCH = '00000000-0000-4000-8000-000000000000';
const NOW = Date.now();

function start() {
  const versions = new Map<string, number>([['read', 5]]);
  const feed = {
    position: () => ({ epoch: EPOCH, offset: 9, at: NOW }),
    versionOf: (key: string) => versions.get(key),
  };
  const lost = vi.fn();
  return { place: createStreamPlace(feed, lost), lost };
}

const row = (id: string, version: number, age = 0) => ({
  id,
  version,
  updatedAt: new Date(NOW - age),
});

describe('where a subscription stands', () => {
  it('is the position of the feed while it waits, and not to be told while it works', () => {
    const { place } = start();
    expect(place.read()).toBeUndefined();
    place.wait(true);
    expect(parseCursor(String(place.read()))?.offset).toBe(9);
    place.wait(false);
    expect(place.read()).toBeUndefined();
  });

  it('is nowhere in a snapshot', () => {
    const { place, lost } = start();
    place.lose();
    expect(lost).toHaveBeenCalledTimes(1);
    place.show(row('read', 5));
    expect(place.read()).toBeNull();
    place.find();
    place.wait(true);
    expect(place.read()).toBeTypeOf('string');
  });

  it.each([
    ['a newer version of a known row', row('read', 6)],
    ['a row that changed just now and was never read of', row('unread', 2)],
  ])('is nowhere after %s, until its change has passed', (_what, shown) => {
    const { place } = start();
    place.lose();
    place.show(shown);
    place.find();
    place.wait(true);
    place.pass({ key: shown.id, version: shown.version - 1 });
    expect(place.read()).toBeNull();
    place.pass({ key: shown.id, version: shown.version });
    expect(place.read()).toBeTypeOf('string');
  });

  it('does not wait for changes of rows that are old', () => {
    const { place } = start();
    place.lose();
    place.show(row('unread', 2, 5_000));
    place.find();
    place.wait(true);
    expect(place.read()).toBeTypeOf('string');
  });
});
