import type { HeaderValue, RecordHeaders } from '../record.ts';

/** A record as kafkajs hands it to its encoder. */
export interface RecordToEncode {
  readonly key?: Buffer | string | null;
  readonly value: Buffer | string | null;
  readonly headers?: RecordHeaders;
}

/** Where a record stands in its batch. */
export interface RecordPlace {
  readonly offsetDelta: number;
  /** Milliseconds after the batch's first one. */
  readonly timestampDelta: number;
}

const lengthOf = (bytes: Buffer | string): number =>
  typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length;

/** By arithmetic, because bit operations end at 32 bits. */
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

/** The headers of a record one by one: a name that has several values comes several times. */
function eachHeader(
  headers: RecordToEncode['headers'],
  take: (name: string, value: HeaderValue) => void,
): number {
  let count = 0;
  for (const name in headers) {
    const given = headers[name];
    if (given === undefined) continue;
    for (const value of Array.isArray(given) ? given : [given as HeaderValue]) {
      take(name, value);
      count += 1;
    }
  }
  return count;
}

/** How many bytes `writeRecord` writes behind the record's own length. */
export function sizeOfRecord({ key, value, headers }: RecordToEncode, place: RecordPlace): number {
  let size = 1 + sizeOfVarInt(place.timestampDelta) + sizeOfVarInt(place.offsetDelta);
  size += sizeOfBytes(key) + sizeOfBytes(value);
  const count = eachHeader(headers, (name, one) => {
    size += sizeOfBytes(name) + sizeOfBytes(one);
  });
  return size + sizeOfVarInt(count);
}

/** How many bytes a record of that size takes together with its length. */
export function sizeWithLength(size: number): number {
  return sizeOfVarInt(size) + size;
}

/**
 * Writes a record of Kafka's message format 2, https://kafka.apache.org/documentation/#record.
 * @returns the place behind it
 */
export function writeRecord(
  into: Buffer,
  start: number,
  { key, value, headers }: RecordToEncode,
  { offsetDelta, timestampDelta }: RecordPlace,
  size: number,
): number {
  let at = writeVarInt(into, start, size);
  // Attributes: none are defined.
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
  eachHeader(headers, (name, one) => {
    at = writeBytes(into, at, name);
    at = writeBytes(into, at, one);
  });
  return at;
}
