import type { HeaderValue } from '../fetch/record-decoder.ts';
import type { RecordHeaders } from '../record.ts';

/** A record as kafkajs passes it to its encoder. */
export interface RecordToEncode {
  readonly key?: Buffer | string | null;
  readonly value: Buffer | string | null;
  readonly headers?: RecordHeaders;
}

/** A record's position in its batch. */
export interface RecordPosition {
  readonly offsetDelta: number;
  /** Milliseconds after the batch's first timestamp. */
  readonly timestampDelta: number;
}

const lengthOf = (bytes: Buffer | string): number =>
  typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length;

/**
 * Encodes a signed number by zigzag encoding. Uses arithmetic instead of bit operations, because
 * JavaScript's bit operations are limited to 32 bits.
 */
const zigZag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);

function sizeOfVarInt(value: number): number {
  let size = 1;
  for (let rest = zigZag(value); rest > 0x7f; rest = Math.floor(rest / 0x80)) size += 1;
  return size;
}

function sizeOfBytes(bytes: Buffer | string | null | undefined): number {
  if (bytes == null) return 1;
  const length = lengthOf(bytes);
  return sizeOfVarInt(length) + length;
}

function writeVarInt(into: Buffer, start: number, number: number): number {
  let at = start;
  let rest = zigZag(number);
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) {
    into[at] = 0x80 + (rest % 0x80);
    at += 1;
  }
  into[at] = rest;
  return at + 1;
}

function writeBytes(into: Buffer, start: number, bytes: Buffer | string | null | undefined) {
  const at = writeVarInt(into, start, bytes == null ? -1 : lengthOf(bytes));
  if (bytes == null) return at;
  return at + (typeof bytes === 'string' ? into.write(bytes, at) : bytes.copy(into, at));
}

/**
 * Calls `take` once per value. A header name with several values therefore causes several calls.
 * @returns the number of calls, which is the number of headers in the encoded record
 */
function eachHeader(
  headers: RecordToEncode['headers'],
  take: (name: string, value: HeaderValue) => void,
): number {
  let count = 0;
  for (const name in headers) {
    const header = headers[name];
    if (header === undefined) continue;
    for (const value of Array.isArray(header) ? header : [header as HeaderValue]) {
      take(name, value);
      count += 1;
    }
  }
  return count;
}

/** Returns the size of a record without its length field, in bytes. */
export function sizeOfRecord(
  { key, value, headers }: RecordToEncode,
  { timestampDelta, offsetDelta }: RecordPosition,
): number {
  let size = 1 + sizeOfVarInt(timestampDelta) + sizeOfVarInt(offsetDelta);
  size += sizeOfBytes(key) + sizeOfBytes(value);
  const count = eachHeader(headers, (name, header) => {
    size += sizeOfBytes(name) + sizeOfBytes(header);
  });
  return size + sizeOfVarInt(count);
}

/** Returns the size of a record with its length field, in bytes. */
export function sizeWithLength(size: number): number {
  return sizeOfVarInt(size) + size;
}

/**
 * Writes a record of Kafka's message format 2, https://kafka.apache.org/documentation/#record.
 * @param size the result of `sizeOfRecord`
 * @returns the position after the record
 */
export function writeRecord(
  into: Buffer,
  start: number,
  { key, value, headers }: RecordToEncode,
  { offsetDelta, timestampDelta }: RecordPosition,
  size: number,
): number {
  let at = writeVarInt(into, start, size);
  // Attributes: format 2 defines none.
  into[at] = 0;
  at = writeVarInt(into, at + 1, timestampDelta);
  at = writeVarInt(into, at, offsetDelta);
  at = writeBytes(into, at, key);
  at = writeBytes(into, at, value);
  at = writeVarInt(
    into,
    at,
    eachHeader(headers, () => {}),
  );
  eachHeader(headers, (name, header) => {
    at = writeBytes(into, at, name);
    at = writeBytes(into, at, header);
  });
  return at;
}
