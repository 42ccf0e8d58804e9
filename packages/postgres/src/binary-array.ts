/** Elements of an array as PostgreSQL's binary format has them, https://www.postgresql.org/docs/current/protocol.html. */
interface ElementType {
  readonly oid: number;
  /** How many bytes it takes. */
  readonly size: (value: never) => number;
  /** Writes it at a place that has room for it. */
  readonly write: (into: Buffer, at: number, value: never) => void;
}

/** What a caller may hand in as an element. */
export type Element = string | number | boolean | Date | null;

/** PostgreSQL counts from 2000, in microseconds. */
const EPOCH_MS = Date.UTC(2000);
/** What a character of a UUID stands for; others, and those beyond, for nothing. */
const DIGITS = new Int8Array(128).fill(-1);
for (let digit = 0; digit < 16; digit += 1) {
  const text = digit.toString(16);
  DIGITS[text.charCodeAt(0)] = digit;
  DIGITS[text.toUpperCase().charCodeAt(0)] = digit;
}
const UUID_LENGTH = 36;
/** Where its dashes stand. */
const isDash = (at: number): boolean => at === 8 || at === 13 || at === 18 || at === 23;

/** By hand, because Buffer's own reading of hex wants it without dashes: a third of the time. */
function writeUuid(into: Buffer, start: number, value: string): void {
  let at = start;
  let isWrong = value.length !== UUID_LENGTH ? 1 : 0;
  for (let from = 0; from < UUID_LENGTH; from += 2) {
    if (isDash(from)) {
      if (value.charCodeAt(from) !== 45) isWrong = 1;
      from += 1;
    }
    const high = DIGITS[value.charCodeAt(from)] ?? -1;
    const low = DIGITS[value.charCodeAt(from + 1)] ?? -1;
    if (high < 0 || low < 0) isWrong = 1;
    into[at] = (high << 4) | low;
    at += 1;
  }
  if (isWrong) throw new TypeError(`${JSON.stringify(value)} is no UUID`);
}

/** By the name of a cast. */
const TYPES: Readonly<Record<string, ElementType>> = {
  text: {
    oid: 25,
    size: (value: string) => Buffer.byteLength(value),
    write: (into, at, value: string) => into.write(value, at),
  },
  int: {
    oid: 23,
    size: () => 4,
    write: (into, at, value: number) => into.writeInt32BE(value, at),
  },
  boolean: {
    oid: 16,
    size: () => 1,
    write: (into, at, value: boolean) => into.writeUInt8(value ? 1 : 0, at),
  },
  uuid: { oid: 2950, size: () => 16, write: writeUuid },
  timestamptz: {
    oid: 1184,
    size: () => 8,
    write: (into, at, value: Date) => {
      into.writeBigInt64BE(BigInt(value.getTime() - EPOCH_MS) * 1_000n, at);
    },
  },
};

/** Dimensions, whether there are nulls, the type; then the length and the first index. */
const HEAD = 20;
const LENGTH = 4;

export function isElementType(name: string): boolean {
  return Object.hasOwn(TYPES, name);
}

/**
 * An array as one parameter in binary: nothing is quoted here and parsed there.
 * @param name the elements' type, as a cast names it
 */
export function encodeArray(name: string, values: readonly Element[]): Buffer {
  const type = TYPES[name];
  if (type === undefined) throw new TypeError(`No array of ${name} is known`);
  const sizes = values.map((value) => (value === null ? -1 : type.size(value as never)));
  let total = HEAD;
  for (const size of sizes) total += LENGTH + Math.max(size, 0);
  const buffer = Buffer.allocUnsafe(total);
  let at = buffer.writeInt32BE(1, 0);
  at = buffer.writeInt32BE(sizes.includes(-1) ? 1 : 0, at);
  at = buffer.writeInt32BE(type.oid, at);
  at = buffer.writeInt32BE(values.length, at);
  at = buffer.writeInt32BE(1, at);
  for (const [index, value] of values.entries()) {
    const size = sizes[index] as number;
    at = buffer.writeInt32BE(size, at);
    if (value === null) continue;
    type.write(buffer, at, value as never);
    at += size;
  }
  return buffer;
}
