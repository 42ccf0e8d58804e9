import { describe, expect, it } from 'vitest';
import { type Cursor, formatCursor, NO_EPOCH, parseCursor } from './cursor.ts';

const epoch = '0199b3a4-1c7e-7a70-8f3c-2f6f3d1f2a11';

describe('parseCursor', () => {
  it.each([
    { epoch, offset: 0, at: 0 },
    { epoch, offset: 123_456_789_012, at: 1_767_323_045_678 },
    { epoch, offset: null, at: 5 },
    { epoch: NO_EPOCH, offset: null, at: 0 },
    { epoch, offset: 7, at: 5, snapshot: { seen: 9 } },
    { epoch, offset: 7, at: 5, snapshot: { seen: 9, ahead: { since: 4, until: 4_000 } } },
    { epoch, offset: 7, at: 5, snapshot: { seen: 9, isRepetition: true as const } },
    { epoch, offset: 7, at: 5, snapshot: { seen: 9, scan: { isComplete: false, since: 0 } } },
    {
      epoch,
      offset: 7,
      at: 5,
      snapshot: { seen: 9, scan: { isComplete: true, since: 3, from: 'a,b, kopi ☕' } },
    },
    {
      epoch,
      offset: 7,
      at: 5,
      snapshot: {
        seen: 9,
        scan: { isComplete: false, since: 3, from: 'a', isOver: true as const },
      },
    },
  ])('parses what formatCursor wrote: %o', (cursor) => {
    expect(parseCursor(formatCursor(cursor))).toEqual(cursor);
    expect(formatCursor(cursor)).toMatch(/^[\w-]+$/);
  });

  const scan = { isComplete: false, since: 0, from: 'a' };
  it.each<Partial<Cursor>>([{}, { snapshot: { seen: 9 } }, { snapshot: { seen: 9, scan } }])(
    'distinguishes the cursors of streams: %o',
    (progress) => {
      const cursor: Cursor = { epoch, offset: 7, at: 5, ...progress };
      const ofOrders = formatCursor({ stream: 'o', ...cursor });
      expect(parseCursor(ofOrders, 'o')).toEqual({ stream: 'o', ...cursor });
      expect(parseCursor(ofOrders)).toBeUndefined();
      expect(parseCursor(formatCursor(cursor), 'o')).toBeUndefined();
    },
  );

  const written = (text: string): string => Buffer.from(text).toString('base64url');
  it.each([
    ['an empty text', ''],
    ['other characters', 'a b'],
    ['a text that is too long', 'a'.repeat(1_001)],
    ['another format version', written(`3,${epoch},1,1`)],
    ['a snapshot without progress', written(`2,${epoch},1,1`)],
    ['a snapshot with a negative offset', written(`2,${epoch},1,1,-1,`)],
    ['a snapshot with a wrong time', written(`2,${epoch},1,1,1,Z`)],
    ['a snapshot with one time', written(`2,${epoch},1,1,1,a`)],
    ['a snapshot with three times', written(`2,${epoch},1,1,1,a-b-c`)],
    ['a repetition with more parts', written(`2,${epoch},1,1,1,,r,a`)],
    ['a snapshot of another kind', written(`2,${epoch},1,1,1,,x1,a`)],
    ['a snapshot without a row', written(`2,${epoch},1,1,1,,c1`)],
    ['too few parts', written(`1,${epoch},1`)],
    ['too many parts', written(`1,${epoch},1,1,1`)],
    ['no epoch', written('1,,1,1')],
    ['an epoch that is no UUID', written('1,x,1,1')],
    ['a negative offset', written(`1,${epoch},-1,1`)],
    ['an offset beyond the safe integers', written(`1,${epoch},${'9'.repeat(16)},1`)],
    ['a time in capitals', written(`1,${epoch},1,Z`)],
    ['noise', 'dGhpcyBpcyBub3RoaW5n'],
  ])('returns undefined for %s', (_name, text) => {
    expect(parseCursor(text)).toBeUndefined();
  });
});
