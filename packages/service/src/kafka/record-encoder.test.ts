import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { type EncodedRecord, encodeRecord, type RecordToEncode } from './record-encoder.ts';

const require = createRequire(import.meta.url);
const kafkajs: (
  record: RecordToEncode,
) => EncodedRecord = require('kafkajs/src/protocol/recordBatch/record/v0');

const TEXTS = [null, '', 'kopi', '☕ 🫖', Buffer.alloc(0), Buffer.from([0, 0xff, 0x80])];
const HEADERS: Required<RecordToEncode>['headers'][] = [
  {},
  { one: 'text' },
  { one: 'text', twö: Buffer.from([0xff]), '': '' },
  { several: ['a', Buffer.from('b'), ''], none: [] },
  Object.fromEntries(Array.from({ length: 70 }, (_, index) => [`h${index}`, 'x'.repeat(index)])),
];
/** Around what a number of one, two or more bytes holds, and past 32 bits. */
const NUMBERS = [0, 1, 63, 64, 8_191, 8_192, 1_048_575, 1_048_576, 2 ** 30];
const LONG = [...NUMBERS, 2 ** 31, 2 ** 40];

const differences = (records: readonly RecordToEncode[]): RecordToEncode[] =>
  records.filter((record) => {
    const [ours, theirs] = [encodeRecord(record), kafkajs(record)];
    return !ours.buffer.equals(theirs.buffer) || ours.size() !== theirs.size();
  });

describe('encodeRecord writes byte for byte what kafkajs writes', () => {
  it('of keys, values and headers', () => {
    const records = TEXTS.flatMap((key) =>
      TEXTS.flatMap((value) => HEADERS.map((headers) => ({ key, value, headers }))),
    );
    expect(records.length).toBe(180);
    expect(differences(records)).toEqual([]);
  });

  it('of places and times', () => {
    const records = NUMBERS.flatMap((offsetDelta) =>
      LONG.map((timestampDelta) => ({ offsetDelta, timestampDelta, value: 'v' })),
    );
    expect(differences(records)).toEqual([]);
  });

  it('of sizes', () => {
    const records = NUMBERS.slice(0, -1).map((size) => ({
      key: null,
      value: Buffer.alloc(size, 7),
    }));
    expect(differences(records)).toHaveLength(0);
  });
});
