import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type RecordToEncode,
  sizeOfRecord,
  sizeWithLength,
  writeRecord,
} from '../patches/record-encoder.ts';
import {
  type BatchContext,
  type DecodedRecord,
  decodeRecord,
  type HeaderValue,
} from './record-decoder.ts';

const require = createRequire(import.meta.url);
const Decoder: new (bytes: Buffer) => { buffer: Buffer } = require('kafkajs/src/protocol/decoder');
const decodeByKafkajs: typeof decodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0/decoder');

const MIB = 1024 * 1024;
const LOWEST = -(2n ** 63n);
const HIGHEST = 2n ** 63n - 1n;

const context: BatchContext = {
  firstOffset: '1000',
  lastOffsetDelta: 2 ** 31 - 1,
  firstTimestamp: '1767225600123',
  maxTimestamp: '1767225600999',
  timestampType: 0,
  magicByte: 2,
  isControlBatch: false,
};
const position = { offsetDelta: 3, timestampDelta: 7 };

/** Returns a record's bytes without their length field. */
function bytesOf(record: RecordToEncode, at = position): Buffer {
  const size = sizeOfRecord(record, at);
  const whole = Buffer.alloc(sizeWithLength(size));
  writeRecord(whole, 0, record, at, size);
  return whole.subarray(whole.length - size);
}
const decode = (bytes: Buffer, of = context) => decodeRecord({ buffer: bytes }, of);
/** Returns headers as entries of byte arrays, which `toEqual` compares regardless of prototypes. */
const entriesOf = (headers: DecodedRecord['headers']): [string, (Buffer | null)[]][] =>
  Object.entries(headers).map(([name, header]) => [name, valuesOf(header)]);
const valuesOf = (header: DecodedRecord['headers'][string] | undefined): (Buffer | null)[] =>
  [header ?? null].flat().map((value) => (typeof value === 'string' ? Buffer.from(value) : value));

const bytes = fc.oneof(
  fc.constant(null),
  fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)),
);
const values = fc.oneof(bytes, fc.array(bytes, { minLength: 2, maxLength: 4 }));
const inherited = Object.getOwnPropertyNames(Object.prototype);
const names = fc.string({ unit: 'binary' }).map((name) => name.toWellFormed());
const headersNamed = (name: fc.Arbitrary<string>) =>
  fc
    .uniqueArray(fc.tuple(name, values), { selector: ([unique]) => unique, maxLength: 12 })
    .map((entries): Record<string, HeaderValue | HeaderValue[]> => Object.fromEntries(entries));

describe('decodeRecord', () => {
  it('decodes ordinary records like kafkajs', () => {
    const ordinary = names.filter((name) => !inherited.includes(name));
    fc.assert(
      fc.property(
        fc.record({ key: bytes, value: bytes, headers: headersNamed(ordinary) }),
        fc.record({
          offsetDelta: fc.nat(),
          timestampDelta: fc.integer({ min: -(2 ** 41), max: 2 ** 41 }),
        }),
        fc.record({ timestampType: fc.integer({ min: 0, max: 1 }), isControlBatch: fc.boolean() }),
        (record, at, batch) => {
          const encoded = bytesOf(record, at);
          const of = { ...context, ...batch };
          expect(decode(encoded, of)).toEqual(decodeByKafkajs(new Decoder(encoded), of));
        },
      ),
    );
  });

  it('decodes headers of any name, repeated and null ones included, as they were encoded', () => {
    const any = fc.oneof(names, fc.constantFrom(...inherited), fc.nat().map(String));
    fc.assert(
      fc.property(headersNamed(any), (headers) => {
        const decoded = decode(bytesOf({ value: null, headers }));
        expect(entriesOf(decoded.headers)).toEqual(entriesOf(headers));
      }),
    );
  });

  it.each(inherited)('decodes a header named %s, once and repeated', (name) => {
    const twice = [Buffer.from('a'), null, Buffer.from('b')];
    for (const values of [[Buffer.from('a')], [null], twice]) {
      const { headers } = decode(bytesOf({ value: 'v', headers: { [name]: values } }));
      expect(entriesOf(headers)).toEqual([[name, values]]);
    }
  });

  it('returns undefined for absent headers named like members of Object.prototype', () => {
    const { headers } = decode(bytesOf({ value: 'v', headers: { one: 'x' } }));
    for (const name of inherited) expect(headers[name]).toBeUndefined();
  });

  it('decodes values of 1 MiB without copying them', () => {
    const value = Buffer.alloc(MIB, 7);
    const encoded = bytesOf({ key: 'k', value, headers: { big: value } });
    const decoded = decode(encoded);
    expect(decoded.value?.equals(value)).toBe(true);
    expect(decoded.value?.buffer).toBe(encoded.buffer);
    expect(valuesOf(decoded.headers['big'])[0]?.equals(value)).toBe(true);
  });

  it('decodes offsets and timestamps of 64 bits exactly', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: LOWEST, max: HIGHEST }),
        fc.bigInt({ min: LOWEST, max: HIGHEST }),
        fc.bigInt({ min: 0n, max: HIGHEST - 2n ** 31n }),
        fc.nat(),
        (firstTimestamp, timestampDelta, firstOffset, offsetDelta) => {
          const encoded = Buffer.concat([
            Buffer.from([0]),
            varLong(timestampDelta),
            varLong(BigInt(offsetDelta)),
            Buffer.from([1, 1, 0]),
          ]);
          const { timestamp, offset } = decode(encoded, {
            ...context,
            firstTimestamp: `${firstTimestamp}`,
            firstOffset: `${firstOffset}`,
          });
          expect(timestamp).toBe(`${BigInt.asIntN(64, firstTimestamp + timestampDelta)}`);
          expect(offset).toBe(`${firstOffset + BigInt(offsetDelta)}`);
        },
      ),
    );
  });
});

function varLong(value: bigint): Buffer {
  const encoded: number[] = [];
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  for (; rest > 0x7fn; rest >>= 7n) encoded.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...encoded, Number(rest)]);
}

describe('decodeRecord of a damaged record', () => {
  const whole = bytesOf({ key: 'k', value: 'v', headers: { one: 'a', two: null } });
  /** The attributes and both deltas take one byte each. */
  const HEAD = 3;
  const damaged = (content: Buffer): Buffer => Buffer.concat([whole.subarray(0, HEAD), content]);
  const unending = Buffer.alloc(MIB, 0xff);

  it.each([
    ...Array.from(
      { length: whole.length - HEAD },
      (_, cut) => [`cut after ${HEAD + cut} bytes`, whole.subarray(0, HEAD + cut)] as const,
    ),
    ['with a byte too many', Buffer.concat([whole, Buffer.alloc(1)])] as const,
    ['with a negative header count', damaged(Buffer.from([1, 1, 1]))] as const,
    ['with 2 ** 31 headers', damaged(Buffer.from([1, 1, 0xfe, 0xff, 0xff, 0xff, 0x0f]))] as const,
    ['with an unnamed header', damaged(Buffer.from([1, 1, 2, 1, 1]))] as const,
    ['with a number that does not end', damaged(unending)] as const,
    [
      'with a header count and a name length that do not end',
      damaged(
        Buffer.concat([Buffer.from([1, 1, 0xfe, 0xff, 0xff, 0xff, 0x0f]), Buffer.alloc(MIB, 0x80)]),
      ),
    ] as const,
  ])('%s returns its offset and its bytes', (_name, encoded) => {
    const { value, ...decoded } = decode(encoded);
    expect(value).toBe(encoded);
    expect(decoded).toMatchObject({ offset: '1003', key: null, headers: {} });
  });

  it.each([
    ['empty', Buffer.alloc(0)],
    ['without an offset', whole.subarray(0, 2)],
    ['with a negative offset', bytesOf({ value: 'v' }, { ...position, offsetDelta: -1 })],
    ['with an offset after its batch', bytesOf({ value: 'v' }, { ...position, offsetDelta: 6 })],
    ['with an offset that does not end', Buffer.concat([Buffer.alloc(2), unending])],
    ['with a timestamp that does not end', Buffer.concat([Buffer.alloc(1), unending])],
  ])('%s throws', (_name, encoded) => {
    expect(() => decode(encoded, { ...context, lastOffsetDelta: 5 })).toThrow(RangeError);
  });

  it('never throws another error and never returns an offset outside the batch', () => {
    const of = { ...context, lastOffsetDelta: 100 };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (array) => {
        try {
          const { offset } = decode(Buffer.from(array), of);
          expect(Number(offset) - 1_000).toBeGreaterThanOrEqual(0);
          expect(Number(offset) - 1_000).toBeLessThanOrEqual(100);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
