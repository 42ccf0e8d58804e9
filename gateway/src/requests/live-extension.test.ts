import { describe, expect, it } from 'vitest';
import { readLiveExtension } from './live-extension.ts';

const NOTHING = { isPresent: false, after: undefined, receivesPositions: false };
const EMPTY = { ...NOTHING, isPresent: true };

describe('readLiveExtension', () => {
  it.each([
    ['no extensions', undefined, NOTHING],
    ['other extensions', { persistedQuery: {} }, NOTHING],
    ['null', { live: null }, NOTHING],
    ['an empty object', { live: {} }, EMPTY],
    ['unknown members', { live: { later: [1] } }, EMPTY],
    ['null members', { live: { after: null, positions: null } }, EMPTY],
    ['a cursor', { live: { after: 'c' } }, { ...EMPTY, after: 'c' }],
    ['positions', { live: { positions: true } }, { ...EMPTY, receivesPositions: true }],
  ])('reads %s', (_what, extensions, expected) => {
    expect(readLiveExtension({ extensions })).toEqual(expected);
  });

  it.each([
    [true, "'extensions.live' must be a JSON object"],
    [1, "'extensions.live' must be a JSON object"],
    ['x', "'extensions.live' must be a JSON object"],
    [[], "'extensions.live' must be a JSON object"],
    [{ after: 7 }, "'extensions.live.after' must be a string"],
    [{ after: {} }, "'extensions.live.after' must be a string"],
    [{ positions: 'yes' }, "'extensions.live.positions' must be true or false"],
  ])('rejects %j', (live, message) => {
    expect(() => readLiveExtension({ extensions: { live } })).toThrow(message);
  });
});
