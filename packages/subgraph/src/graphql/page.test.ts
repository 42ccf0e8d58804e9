import type { ServiceError } from '@gudang/runtime';
import { describe, expect, it } from 'vitest';
import { formatKeysetCursor, parseKeysetCursor, parsePage, toConnection } from './page.ts';

const number = (cursor: string): number | undefined =>
  /^\d+$/.test(cursor) ? Number(cursor) : undefined;
const problem = (given: Parameters<typeof parsePage>[0]): unknown => {
  try {
    return parsePage(given, number);
  } catch (error) {
    return (error as ServiceError).details;
  }
};

describe('parsePage', () => {
  it('returns a page of the first 20 rows by default', () => {
    expect(parsePage({}, number)).toEqual({ size: 20, forward: true });
    expect(parsePage({ first: 5, after: '3' }, number)).toMatchObject({ size: 5, after: 3 });
    expect(parsePage({ last: 5, before: '3' }, number)).toMatchObject({
      forward: false,
      before: 3,
    });
  });

  it.each([
    [{ first: 0 }, 'first', 'a whole number from 1 to 100'],
    [{ first: 101 }, 'first', 'a whole number from 1 to 100'],
    [{ last: -1 }, 'last', 'a whole number from 1 to 100'],
    [{ first: 1, last: 1 }, 'last', 'absent when `first` is given'],
    [{ after: 'x' }, 'after', 'a cursor that this list has given'],
    [{ before: '' }, 'before', 'a cursor that this list has given'],
  ])('refuses %o', (given, argument, allowed) => {
    expect(problem(given)).toMatchObject({ argument, allowed });
  });

  it('names all invalid arguments', () => {
    const given = { first: 0, after: 'x', before: '' };
    const invalid = ['first', 'after', 'before'].map((argument) => ({ argument }));
    expect(problem(given)).toMatchObject({ invalid });
  });
});

describe('toConnection', () => {
  const page = (forward: boolean, found: number[], given = {}) =>
    toConnection(
      { size: 2, forward, after: undefined, before: undefined, ...given },
      found,
      String,
    );

  it('has a next page if one additional row was found', () => {
    expect(page(true, [1, 2, 3])).toMatchObject({
      nodes: [1, 2],
      pageInfo: { hasNextPage: true, hasPreviousPage: false, startCursor: '1', endCursor: '2' },
    });
    expect(page(true, [1, 2], { after: 9 }).pageInfo).toMatchObject({
      hasNextPage: false,
      hasPreviousPage: true,
    });
  });

  it('reverses the rows of a page that was read from the end of the list', () => {
    expect(page(false, [3, 2, 1], { before: 4 })).toMatchObject({
      nodes: [2, 3],
      pageInfo: { hasNextPage: true, hasPreviousPage: true, startCursor: '2', endCursor: '3' },
    });
  });

  it('has no cursors if no row was found', () => {
    expect(page(true, []).pageInfo).toMatchObject({ startCursor: null, endCursor: null });
  });
});

describe('formatKeysetCursor and parseKeysetCursor', () => {
  it.each(['kopi', 'a,b', '米'.repeat(100), '\ud83d\ude00'.repeat(100)])(
    'round-trip the id %s',
    (id) => {
      const cursor = { at: new Date('2026-01-02T03:04:05.678Z'), id };
      expect(parseKeysetCursor('t:', formatKeysetCursor('t:', cursor))).toEqual(cursor);
    },
  );

  const written = (text: string): string => Buffer.from(text).toString('base64url');
  it.each([
    '',
    'a b',
    written('t:abc'),
    written('t:,x'),
    written('t:1,'),
    written('t:1,a\u0000'),
    written('t:Z,a'),
    written('u:1,a'),
  ])('is not read from %j', (cursor) => {
    expect(parseKeysetCursor('t:', cursor)).toBeUndefined();
  });
});
