import { describe, expect, it } from 'vitest';
import { ChangeLog } from './change-log.ts';
import { type FeedReader, openWatch } from './open-watch.ts';
import { createWatchers } from './watchers.ts';

const EPOCH = '00000000-0000-4000-8000-000000000000';

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

function start() {
  const changes = new ChangeLog(10);
  const watchers = createWatchers(10);
  changes.startAt(5, EPOCH);
  const reader: FeedReader = {
    changes,
    watchers,
    caughtUp: async () => {},
    reached: (_offset, signal) => aborted(signal),
  };
  return { reader, watchers };
}

describe('openWatch', () => {
  it.each([
    ['the feed to catch up', { caughtUp: aborted }, undefined],
    ['the offset of its cursor', {}, { epoch: EPOCH, offset: 9, at: 0 }],
    ['the rows of its snapshot', {}, { epoch: EPOCH, offset: 5, at: 0, snapshot: { seen: 9 } }],
  ])('ends the wait of a subscriber that leaves: %s', async (_what, waits, after) => {
    const { reader, watchers } = start();
    const left = new AbortController();
    const opened = openWatch({ ...reader, ...waits }, undefined, after, left.signal);
    left.abort();
    (await opened).close();
    expect(watchers.count()).toBe(0);
  });

  it('returns the changes with which a stream continues after a row of a snapshot', async () => {
    const { reader } = start();
    const changes = reader.changes as ChangeLog;
    for (const [index, key] of ['a', 'b', 'a', 'c'].entries()) {
      const change = { offset: 5 + index, epoch: EPOCH, key, version: index + 1, at: 0 };
      changes.append({ term: 1, change: { ...change, value: Buffer.from('') } });
    }
    const after = { epoch: EPOCH, offset: 5, at: 0, snapshot: { seen: 8 } };
    const { start: how, replayed } = await openWatch(reader, ['a', 'c'], after);
    expect(how).toBe('replay');
    expect(replayed?.changes.map(({ offset }) => offset)).toEqual([5, 7, 8]);
    expect(replayed?.end).toBe(9);
  });
});
