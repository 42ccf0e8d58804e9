import { parseCursor } from '@gudang/change-feed';
import { describe, expect, it, vi } from 'vitest';
import { PositionTracker } from './position-tracker.ts';

const EPOCH = '00000000-0000-4000-8000-000000000000';
const NOW = Date.now();

function start(oldestAt = NOW) {
  const versions = new Map<string, number>([['read', 5]]);
  const changeFeed = {
    position: () => ({ epoch: EPOCH, offset: 9, at: NOW }),
    versionOf: (key: string) => versions.get(key),
    oldestAt: () => oldestAt,
  };
  return { tracker: new PositionTracker(changeFeed), versions };
}

const row = (id: string, version: number, age = 0) => ({
  id,
  version,
  changedAt: new Date(NOW - age),
});

describe('PositionTracker', () => {
  it('returns the position of the feed while the subscription is idle, and undefined while it is busy', () => {
    const { tracker } = start();
    expect(tracker.read()).toBeUndefined();
    tracker.setIdle(true);
    expect(parseCursor(String(tracker.read()))?.offset).toBe(9);
    tracker.setIdle(false);
    expect(tracker.read()).toBeUndefined();
  });

  it('has no position during a snapshot', () => {
    const { tracker } = start();
    tracker.beginSnapshot();
    tracker.addRow(row('read', 5));
    expect(tracker.read()).toBeNull();
    tracker.endSnapshot();
    tracker.setIdle(true);
    expect(tracker.read()).toBeTypeOf('string');
  });

  it.each([
    ['a row with a newer version than the feed has read', row('read', 6)],
    ['a recent row that the feed has not read', row('unread', 2)],
  ])('has no position after %s, until the feed reads the change of this row', (_what, sent) => {
    const { tracker } = start();
    tracker.beginSnapshot();
    tracker.addRow(sent);
    tracker.endSnapshot();
    tracker.setIdle(true);
    tracker.advance({ key: sent.id, version: sent.version - 1 });
    expect(tracker.read()).toBeNull();
    tracker.advance({ key: sent.id, version: sent.version });
    expect(tracker.read()).toBeTypeOf('string');
  });

  it('expects no change of an old row from a feed without changes', () => {
    const feed = {
      position: () => ({ epoch: EPOCH, offset: 0, at: 0 }),
      versionOf: () => undefined,
      oldestAt: () => 0,
    };
    const tracker = new PositionTracker(feed);
    tracker.addRow(row('old', 1, 3_600_000));
    expect(tracker.ahead).toBeUndefined();
    expect(tracker.addRow(row('new', 1, 1_000))).toBe(true);
  });

  it('has a position after an old row without waiting for the change of this row', () => {
    const { tracker } = start();
    tracker.beginSnapshot();
    tracker.addRow(row('unread', 2, 5_000));
    tracker.endSnapshot();
    tracker.setIdle(true);
    expect(tracker.read()).toBeTypeOf('string');
  });

  it('knows the times of the changes by which it is ahead of the feed', () => {
    const { tracker, versions } = start();
    expect(tracker.addRow(row('read', 5, 9_000))).toBe(true);
    expect(tracker.addRow(row('old', 5, 30_000))).toBe(false);
    expect(tracker.ahead).toBeUndefined();
    expect(tracker.addRow(row('read', 6, 20))).toBe(true);
    expect(tracker.addRow(row('unread', 1, 30))).toBe(true);
    expect(tracker.ahead).toEqual({ since: NOW - 30, until: NOW - 20 });
    versions.set('read', 6);
    tracker.dropRead();
    expect(tracker.ahead).toEqual({ since: NOW - 30, until: NOW - 20 });
    versions.set('unread', 2);
    tracker.dropRead();
    expect(tracker.ahead).toBeUndefined();
  });

  it.each([
    ['while the feed reads nothing, for example because Kafka is unavailable', 300_000, 0, null],
    ['until the feed has read a much later change', 300_000, 100_000, 'position'],
    ['for 10 minutes', 700_000, 0, 'position'],
  ])('expects the change of a row %s', (_what, later, read, expected) => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOW });
    let at = NOW;
    const tracker = new PositionTracker({
      position: () => ({ epoch: EPOCH, offset: 9, at }),
      versionOf: () => undefined,
      oldestAt: () => 0,
    });
    tracker.addRow(row('a', 2));
    tracker.setIdle(true);
    vi.setSystemTime(NOW + later);
    at += read;
    expect(tracker.read() && 'position').toBe(expected);
    vi.useRealTimers();
  });

  it('is ahead of a change that the feed has read, until the subscription takes it', () => {
    const { tracker, versions } = start();
    tracker.addRow(row('read', 6, 100_000));
    versions.set('read', 6);
    tracker.setIdle(true);
    expect(tracker.read()).toBeNull();
    expect(tracker.ahead).toBeDefined();
    tracker.advance({ key: 'read', version: 6 });
    expect(tracker.read()).toBeTypeOf('string');
  });

  it('is ahead of the change of a long transaction, if the feed has all changes since it began', () => {
    const { tracker } = start(NOW - 60_000);
    expect(tracker.addAhead(row('a', 2, 15_000), { since: NOW, until: NOW })).toBe(true);
    expect(start(NOW).tracker.addAhead(row('a', 2, 15_000), { since: NOW, until: NOW })).toBe(
      false,
    );
  });
});
