import { snappyCompress } from 'hysnappy';
import { describe, expect, it } from 'vitest';
import { decompressSnappy, decompressZstd } from './codecs.ts';
import { decompressLz4 } from './lz4.ts';

/** This limit exceeds the window of 2 MiB that Java's Zstandard streams require. */
const LIMIT = 4 * 1024 * 1024;
const TEXT = 'the quick brown fox jumps over the lazy dog; '.repeat(6);

/** TEXT, compressed by the libraries of Kafka's Java client. */
const COMPRESSED = [
  [
    'LZ4',
    decompressLz4,
    'BCJNGGBAGjcAAADwEHRoZSBxdWljayBicm93biBmb3gganVtcHMgb3ZlciAfAK9sYXp5IGRvZzsgLQDJUGRvZzsgAAAAAA==',
  ],
  [
    'bare Snappy',
    decompressSnappy,
    'jgJ4dGhlIHF1aWNrIGJyb3duIGZveCBqdW1wcyBvdmVyIAEfIGxhenkgZG9nOwUO/i0A/i0A/i0Aci0A',
  ],
  [
    'framed Snappy',
    decompressSnappy,
    'glNOQVBQWQAAAAABAAAAAQAAADyOAnh0aGUgcXVpY2sgYnJvd24gZm94IGp1bXBzIG92ZXIgAR8gbGF6eSBkb2c7BQ7+LQD+LQD+LQByLQA=',
  ],
  [
    'Zstandard',
    decompressZstd,
    'KLUv/WAOAL0BAMQCdGhlIHF1aWNrIGJyb3duIGZveCBqdW1wcyBvdmVyIHRoZSBsYXp5IGRvZzsCAFqoCDDaWQY=',
  ],
  [
    'streamed Zstandard',
    decompressZstd,
    'KLUv/QBYvQEAxAJ0aGUgcXVpY2sgYnJvd24gZm94IGp1bXBzIG92ZXIgdGhlIGxhenkgZG9nOwIAWqgIMNpZBg==',
  ],
] as const;

describe.each(COMPRESSED)('decoding %s', (_name, decompress, base64) => {
  const compressed = Buffer.from(base64, 'base64');

  it('returns the original text', () => {
    expect(decompress(compressed, LIMIT).toString()).toBe(TEXT);
  });

  it('throws or returns output within the limit if the input is damaged or truncated', () => {
    for (let at = 0; at < compressed.length; at += 1) {
      for (const byte of [0, 1, 0x7f, 0x80, 0xff]) {
        const damaged = Buffer.from(compressed);
        damaged[at] = byte;
        expectBounded(() => decompress(damaged, LIMIT));
      }
      expectBounded(() => decompress(compressed.subarray(0, at), LIMIT));
    }
  });
});

function expectBounded(decompress: () => Buffer): void {
  let size = 0;
  try {
    size = decompress().length;
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
  }
  expect(size).toBeLessThanOrEqual(LIMIT);
}

describe('the size limit', () => {
  it.each(COMPRESSED.slice(0, 4))(
    'applies to %s output that is one byte too long',
    (_name, decompress, base64) => {
      const limit = TEXT.length - 1;
      expect(() => decompress(Buffer.from(base64, 'base64'), limit)).toThrow(`more than ${limit}`);
    },
  );

  it('applies to the sum of all Snappy frames', () => {
    const block = snappyCompress(Buffer.alloc(1_000));
    const frame = Buffer.concat([Buffer.alloc(4), block]);
    frame.writeUInt32BE(block.length);
    const head = Buffer.from('glNOQVBQWQAAAAABAAAAAQ==', 'base64');
    const frames = Buffer.concat([head, frame, frame, frame]);
    expect(decompressSnappy(frames, 3_000)).toHaveLength(3_000);
    expect(() => decompressSnappy(frames, 2_999)).toThrow('more than 999');
  });

  it('applies to the window, the content size and the blocks of a Zstandard frame', () => {
    const window = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0xa0, 1, 0, 0]);
    const contentSize = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0x7f, 1, 0, 0]);
    // The frame contains 10,000 run-length blocks of 100,000 zeros each.
    const block = Buffer.alloc(4);
    block.writeUIntLE((100_000 << 3) | 2, 0, 3);
    const last = Buffer.from([1, 0, 0]);
    const blocks = Buffer.concat([
      window.with(5, 0x50).slice(0, 6),
      ...Array.from({ length: 10_000 }, () => block),
      last,
    ]);
    for (const frame of [window, contentSize, blocks]) {
      expect(() => decompressZstd(frame, 1_000_000)).toThrow('hold more than 1000000 bytes');
    }
  });
});
