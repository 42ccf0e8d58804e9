import { describe, expect, it } from 'vitest';
import { readLiveExtension } from './live-extension.ts';

describe('readLiveExtension', () => {
  it.each([
    ['no extensions', undefined, false],
    ['other extensions', { persistedQuery: {} }, false],
    ['null', { live: null }, false],
    ['an empty object', { live: {} }, true],
    ['unknown members', { live: { later: [1] } }, true],
  ])('reads whether markers are wanted: %s', (_what, extensions, receivesMarkers) => {
    expect(readLiveExtension({ extensions })).toEqual({ receivesMarkers });
  });

  it.each([true, 1, 'x', []])('rejects a value that is not an object: %j', (live) => {
    expect(() => readLiveExtension({ extensions: { live } })).toThrow(
      "'extensions.live' must be a JSON object",
    );
  });
});
