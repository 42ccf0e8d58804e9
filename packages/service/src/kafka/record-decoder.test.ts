import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { type BatchContext, decodeRecord } from './record-decoder.ts';
import {
  type RecordToEncode,
  sizeOfRecord,
  sizeWithLength,
  writeRecord,
} from './record-encoder.ts';

const require = createRequire(import.meta.url);
const Decoder = require('kafkajs/src/protocol/decoder');
const ofKafkajs = require('kafkajs/src/protocol/recordBatch/record/v0/decoder');

const NUMBERS = [0, 1, -1, 63, 64, 8_191, 8_192, 2 ** 30, 2 ** 31, 2 ** 40, -(2 ** 40)];
const context: BatchContext = {
  firstOffset: '9007199254000000',
  firstTimestamp: '1767225600123',
  maxTimestamp: '1767225600999',
  timestampType: 0,
  magicByte: 2,
};

function bytesOf(record: RecordToEncode, place = { offsetDelta: 3, timestampDelta: 7 }): Buffer {
  const size = sizeOfRecord(record, place);
  const whole = Buffer.alloc(sizeWithLength(size));
  writeRecord(whole, 0, record, place, size);
  return whole.subarray(whole.length - size);
}
function expectSame(bytes: Buffer, of: BatchContext = context): void {
  expect(decodeRecord({ buffer: bytes }, of)).toEqual(ofKafkajs(new Decoder(bytes), of));
}

describe('decodeRecord reads what kafkajs reads', () => {
  it.each([
    [{}],
    [{ one: 'text' }],
    [{ one: 'text', twö: Buffer.from([0xff, 0]), '': '' }],
    [{ several: ['a', Buffer.from('b'), ''], other: 'c' }],
  ])('of headers %o', (headers) => {
    for (const bytes of [null, '', 'kopi ☕', Buffer.alloc(9_000, 7)]) {
      expectSame(bytesOf({ key: bytes, value: 'v', headers }));
      expectSame(bytesOf({ key: 'k', value: bytes, headers }));
    }
  });

  it('of places and times', () => {
    for (const timestampDelta of NUMBERS) {
      for (const offsetDelta of [0, 1, 63, 64, 8_192, 2 ** 30]) {
        expectSame(bytesOf({ key: 'k', value: 'v' }, { offsetDelta, timestampDelta }));
      }
    }
  });

  it("of the broker's time, and of control batches", () => {
    const bytes = bytesOf({ value: 'v' });
    expectSame(bytes, { ...context, timestampType: 1 });
    expectSame(bytes, { ...context, isControlBatch: true });
  });
});
