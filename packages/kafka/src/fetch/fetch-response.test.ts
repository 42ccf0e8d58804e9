import { crc32, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { crc32c } from '../crc32c.ts';
import { encodeProduceRequest } from '../patches/produce-request.ts';
import { BATCH_LIMIT } from './codecs.ts';
import { decodeFetchResponse } from './fetch-response.ts';
import type { FetchedMessage } from './fetched-messages.ts';
import { BATCH, CONTROL, MAX_RECORDS, TRANSACTIONAL } from './record-batch.ts';

/** Length of a produce request's fields before its first batch, for a topic `t`. */
const REQUEST_HEAD = 27;

interface BatchOptions {
  readonly first?: number;
  readonly attributes?: number;
  readonly producer?: number;
  /** The difference between the last and the first offset. Default: as many as there are values. */
  readonly lastDelta?: number;
  /** The number of records that the batch declares. Default: as many as there are values. */
  readonly count?: number;
  /** Replaces the bytes of the records. */
  readonly records?: Buffer;
  readonly keys?: readonly Buffer[];
}

/** Returns a batch with one record per value. */
function batchOf(values: readonly string[], options: BatchOptions = {}): Buffer {
  const { first = 0, attributes = 0, producer = -1, records, keys = [] } = options;
  const given = values.length === 0 ? [''] : values;
  const messages = given.map((value, index) => ({ key: keys[index] ?? null, value }));
  const { buffer } = encodeProduceRequest({
    acks: -1,
    timeout: 0,
    topicData: [{ topic: 't', partitions: [{ partition: 0, messages }] }],
  });
  const plain = buffer.subarray(REQUEST_HEAD);
  const batch = records
    ? Buffer.concat([plain.subarray(0, BATCH.records), records])
    : Buffer.from(plain);
  batch.writeBigInt64BE(BigInt(first), BATCH.firstOffset);
  batch.writeInt32BE(batch.length - 12, BATCH.length);
  batch.writeInt16BE(attributes, BATCH.attributes);
  batch.writeInt32BE(options.count ?? values.length, BATCH.count);
  batch.writeInt32BE(options.lastDelta ?? values.length - 1, BATCH.lastOffsetDelta);
  batch.writeBigInt64BE(BigInt(producer), BATCH.producerId);
  return sign(batch);
}

function sign(batch: Buffer): Buffer {
  batch.writeUInt32BE(crc32c(batch.subarray(BATCH.attributes)), BATCH.checksum);
  return batch;
}

const inTransaction = (producer: number, first: number, ...values: string[]): Buffer =>
  batchOf(values, { first, producer, attributes: TRANSACTIONAL });

/** Returns the control batch that ends a transaction. */
function markerOf(producer: number, first: number, end: 'abort' | 'commit'): Buffer {
  const key = Buffer.from([0, 0, 0, end === 'abort' ? 0 : 1]);
  return batchOf(['end'], { first, producer, attributes: TRANSACTIONAL | CONTROL, keys: [key] });
}

interface ResponseOptions {
  readonly end?: number;
  readonly stableEnd?: number;
  readonly aborted?: readonly { readonly producer: number; readonly first: number }[];
}

/** Returns a fetch response with one partition. */
function responseOf(batches: readonly Buffer[], options: ResponseOptions = {}): Buffer {
  const { end = 1_000, stableEnd = end, aborted = [] } = options;
  const records = Buffer.concat(batches);
  const int16 = (number: number) => Buffer.from([number >> 8, number & 0xff]);
  const int32 = (number: number) => Buffer.from(Int32Array.of(number).buffer).swap32();
  const int64 = (number: number) => Buffer.from(BigInt64Array.of(BigInt(number)).buffer).swap64();
  return Buffer.concat([
    ...[int32(0), int16(0), int32(7), int32(1), int16(1), Buffer.from('t'), int32(1)],
    ...[int32(3), int16(0), int64(end), int64(stableEnd), int64(0), int32(aborted.length)],
    ...aborted.flatMap(({ producer, first }) => [int64(producer), int64(first)]),
    ...[int32(-1), int32(records.length), records],
  ]);
}

async function decode(batches: readonly Buffer[], options?: ResponseOptions) {
  const { responses } = await decodeFetchResponse(responseOf(batches, options));
  const [partition] = responses[0]?.partitions ?? [];
  if (partition === undefined) throw new Error('The response has no partition');
  return partition;
}

/** Decodes a response as often as a damaged batch must be fetched. */
async function decodeRepeatedly(batches: readonly Buffer[], options?: ResponseOptions) {
  await decode(batches, options);
  await decode(batches, options);
  return (await decode(batches, options)).messages;
}

const textsOf = (messages: readonly FetchedMessage[]): string[] =>
  messages
    .filter(({ isSkipped }) => !isSkipped)
    .map(({ offset, value }) => `${offset} ${String(value)}`);

describe('decodeFetchResponse', () => {
  it('returns the partition’s state and the records of all batches', async () => {
    const partition = await decode([batchOf(['a', 'b']), batchOf(['c'], { first: 2 })], {
      end: 9,
      stableEnd: 5,
    });
    expect(textsOf(partition.messages)).toEqual(['0 a', '1 b', '2 c']);
    expect(partition).toMatchObject({ partition: 3, errorCode: 0, highWatermark: '5' });
  });

  it('ignores a truncated last batch', async () => {
    const { messages } = await decode([
      batchOf(['a']),
      batchOf(['b'], { first: 1 }).subarray(0, -1),
    ]);
    expect(textsOf(messages)).toEqual(['0 a']);
  });

  it('decodes 200,000 records of a batch', { timeout: 30_000 }, async () => {
    const { messages } = await decode([batchOf(Array.from({ length: 200_000 }, () => ''))]);
    expect(messages).toHaveLength(200_000);
  });

  it('decodes only some batches of a response whose records take much memory', async () => {
    const many = (first: number) =>
      batchOf(
        Array.from({ length: 30_000 }, () => ''),
        { first },
      );
    const { messages } = await decode([many(0), many(30_000), many(60_000)]);
    expect(messages).toHaveLength(60_000);
  });

  it('returns the other records of a batch in which one record’s headers are damaged', async () => {
    const batch = batchOf(['first', 'second', 'third']);
    // The byte after the value is the number of headers. 3 is the encoding of -2.
    batch[batch.indexOf('second') + 'second'.length] = 3;
    const { messages } = await decode([sign(batch)]);
    expect(textsOf(messages)).toEqual([
      '0 first',
      expect.stringMatching(/^1 .*second/s),
      '2 third',
    ]);
    expect(messages[1]?.key).toBeNull();
  });

  it('moves past records that compaction has deleted, also in an empty batch', async () => {
    const { messages } = await decode([
      batchOf(['a'], { lastDelta: 4 }),
      batchOf([], { first: 5, lastDelta: 2, records: Buffer.alloc(0) }),
    ]);
    expect(textsOf(messages)).toEqual(['0 a']);
    expect(messages.map(({ offset, isSkipped }) => [offset, isSkipped])).toEqual([
      ['0', undefined],
      ['4', true],
      ['7', true],
    ]);
  });
});

describe('records in transactions', () => {
  it('are returned if committed; control records and aborted records are skipped', async () => {
    const { messages } = await decode(
      [
        inTransaction(1, 0, 'committed'),
        markerOf(1, 1, 'commit'),
        inTransaction(1, 2, 'aborted', 'aborted'),
        markerOf(1, 4, 'abort'),
        inTransaction(1, 5, 'again'),
        markerOf(1, 6, 'commit'),
      ],
      { aborted: [{ producer: 1, first: 2 }] },
    );
    expect(textsOf(messages)).toEqual(['0 committed', '5 again']);
    expect(messages.at(-1)).toMatchObject({ offset: '6', isSkipped: true });
  });

  it('are skipped if aborted, when transactions overlap and the broker lists them by their ends', async () => {
    const { messages } = await decode(
      [
        inTransaction(1, 0, 'one'),
        inTransaction(2, 1, 'two'),
        inTransaction(3, 2, 'three'),
        batchOf(['plain'], { first: 3, producer: 2 }),
        markerOf(2, 4, 'abort'),
        inTransaction(1, 5, 'one'),
        inTransaction(2, 6, 'two'),
        markerOf(1, 7, 'abort'),
        markerOf(3, 8, 'commit'),
        markerOf(2, 9, 'commit'),
      ],
      {
        aborted: [
          { producer: 2, first: 1 },
          { producer: 1, first: 0 },
        ],
      },
    );
    expect(textsOf(messages)).toEqual(['2 three', '3 plain', '6 two']);
  });

  it('are skipped if aborted, when the fetch begins inside several transactions', async () => {
    const aborted = [1, 2, 3].map((producer) => ({ producer, first: producer }));
    const batches = [1, 2, 3].map((producer) => inTransaction(producer, 100 + producer, 'aborted'));
    const { messages } = await decode(batches, { aborted });
    expect(textsOf(messages)).toEqual([]);
    expect(messages.at(-1)?.offset).toBe('103');
  });

  it('are skipped if aborted, after a record whose key resembles an abort marker', async () => {
    const key = Buffer.alloc(4);
    const { messages } = await decode(
      [
        batchOf(['a'], { producer: 1, attributes: TRANSACTIONAL, keys: [key] }),
        inTransaction(1, 1, 'b'),
      ],
      { aborted: [{ producer: 1, first: 0 }] },
    );
    expect(textsOf(messages)).toEqual([]);
  });
});

describe('a batch that cannot be decoded', () => {
  const good = batchOf(['good'], { first: 30 });
  const damagedIn = (at: number, options: BatchOptions = {}): Buffer => {
    const batch = batchOf(['a', 'b', 'c'], { first: 10, ...options });
    batch.writeUInt8(batch.readUInt8(at) ^ 1, at);
    return batch;
  };
  const bomb = batchOf(['a'], {
    first: 10,
    attributes: 1,
    lastDelta: 2,
    records: gzipSync(Buffer.alloc(BATCH_LIMIT + 1)),
  });

  const tooMany = batchOf([], {
    first: 10,
    attributes: 1,
    lastDelta: 2,
    count: MAX_RECORDS + 1,
    records: gzipSync(Buffer.alloc(7 * (MAX_RECORDS + 1))),
  });

  it.each([
    ['with a wrong checksum', damagedIn(BATCH.checksum), 'The checksum is wrong', '12'],
    ['with a damaged record', damagedIn(BATCH.records + 3), 'The checksum is wrong', '12'],
    // The flipped bit makes the last offset 13 and, in the second case, 16,777,228.
    ['with a damaged last offset', damagedIn(BATCH.lastOffsetDelta + 3), 'checksum', '13'],
    ['with a last offset past the next batch', damagedIn(BATCH.lastOffsetDelta), 'checksum', '29'],
    ['of an unknown format', damagedIn(BATCH.magic), 'The message format 3 is unknown', '10'],
    [
      'of an unknown codec',
      batchOf(['a', 'b', 'c'], { first: 10, attributes: 5 }),
      'codec 5',
      '12',
    ],
    ['that decompresses to more than the limit', bomb, 'larger than', '12'],
    ['with too many records', tooMany, 'more than 300000 records', '12'],
    [
      'with fewer records than it declares',
      batchOf(['a', 'b'], {
        first: 10,
        records: Buffer.concat([batchOf(['a']).subarray(61), Buffer.alloc(1)]),
      }),
      'outside buffer bounds',
      '11',
    ],
  ])(
    '%s is returned as one message after three attempts',
    {
      timeout: 30_000,
    },
    async (_name, batch, reason, last) => {
      const before = batchOf(['before'], { first: 9 });
      const batches = [before, batch, good];
      const first = await decode(batches);
      expect(textsOf(first.messages)).toEqual(['9 before']);
      expect(textsOf((await decode([batch, good])).messages)).toEqual([]);
      const { messages } = await decode(batches);
      expect(messages.map(({ offset }) => offset)).toEqual(['9', last, '30']);
      expect(messages[1]?.value?.equals(batch)).toBe(true);
      expect(messages[1]?.damage).toEqual({
        firstOffset: '10',
        reason: expect.stringMatching(
          new RegExp(`^the record batch cannot be decoded: .*(${reason})`, 's'),
        ),
      });
    },
  );

  it('is not reported while its bytes differ, as after an error of the network', async () => {
    for (let flipped = 1; flipped < 20; flipped += 1) {
      const batch = batchOf(['a']);
      batch.writeUInt8(batch.readUInt8(BATCH.checksum) ^ flipped, BATCH.checksum);
      expect((await decode([batch])).messages).toHaveLength(0);
    }
    expect(textsOf((await decode([batchOf(['a'])])).messages)).toEqual(['0 a']);
  });

  it('does not end after the end of the partition', async () => {
    const batch = damagedIn(BATCH.lastOffsetDelta, { producer: 5 });
    const [message] = await decodeRepeatedly([batch], { end: 13 });
    expect(message?.offset).toBe('12');
  });

  it('is skipped without decompressing it, if its transaction was aborted', async () => {
    const records = gzipSync(Buffer.alloc(BATCH_LIMIT + 1));
    const batch = batchOf(['a'], { producer: 1, attributes: TRANSACTIONAL | 1, records });
    const { messages } = await decode([batch], { aborted: [{ producer: 1, first: 0 }] });
    expect([...messages]).toEqual([expect.objectContaining({ offset: '0', isSkipped: true })]);
  });
});

describe('messages of the formats 0 and 1', () => {
  interface LegacyOptions {
    readonly magic: 0 | 1;
    readonly offset: number;
    readonly attributes?: number;
    readonly timestamp?: number;
  }
  function legacyOf(value: Buffer | null, options: LegacyOptions): Buffer {
    const { magic, offset, attributes = 0, timestamp = 1_000 } = options;
    const time = Buffer.alloc(magic === 1 ? 8 : 0);
    if (magic === 1) time.writeBigInt64BE(BigInt(timestamp));
    const lengthOf = (bytes: Buffer | null) =>
      Buffer.from(Int32Array.of(bytes === null ? -1 : bytes.length).buffer).swap32();
    const body = Buffer.concat([
      Buffer.from([magic, attributes]),
      time,
      lengthOf(null),
      lengthOf(value),
      value ?? Buffer.alloc(0),
    ]);
    const head = Buffer.alloc(16);
    head.writeBigInt64BE(BigInt(offset));
    head.writeInt32BE(body.length + 4, 8);
    head.writeUInt32BE(crc32(body), 12);
    return Buffer.concat([head, body]);
  }
  const text = (value: string): Buffer => Buffer.from(value);

  it('are decoded, before batches of the current format', async () => {
    const { messages } = await decode([
      legacyOf(text('a'), { magic: 0, offset: 0 }),
      legacyOf(null, { magic: 1, offset: 1, timestamp: 77 }),
      batchOf(['c'], { first: 2 }),
    ]);
    expect(textsOf(messages)).toEqual(['0 a', '1 null', '2 c']);
    expect(messages.map(({ timestamp }) => timestamp).slice(0, 2)).toEqual(['-1', '77']);
  });

  it('are decompressed, with absolute offsets in format 0 and relative ones in format 1', async () => {
    const inner = (magic: 0 | 1, offsets: readonly number[]): Buffer =>
      gzipSync(Buffer.concat(offsets.map((offset) => legacyOf(text('x'), { magic, offset }))));
    const { messages } = await decode([
      legacyOf(inner(0, [5, 6]), { magic: 0, offset: 6, attributes: 1 }),
      legacyOf(inner(1, [0, 1, 3]), { magic: 1, offset: 10, attributes: 1 }),
      // The broker has set the timestamp of all these messages.
      legacyOf(inner(1, [0, 1]), { magic: 1, offset: 12, attributes: 1 | 8, timestamp: 99 }),
    ]);
    expect(messages.map(({ offset }) => offset)).toEqual(['5', '6', '7', '8', '10', '11', '12']);
    expect(messages.map(({ timestamp }) => timestamp)).toEqual([
      '-1',
      '-1',
      '1000',
      '1000',
      '1000',
      '99',
      '99',
    ]);
  });

  it('are returned as one message if they are damaged', async () => {
    const damaged = legacyOf(text('abc'), { magic: 1, offset: 3 });
    damaged.write('x', damaged.length - 1);
    const messages = await decodeRepeatedly([damaged, batchOf(['good'], { first: 4 })]);
    expect(messages.map(({ offset, damage }) => [offset, damage?.firstOffset])).toEqual([
      ['3', '3'],
      ['4', undefined],
    ]);
  });
});
