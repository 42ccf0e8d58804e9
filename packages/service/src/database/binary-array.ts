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
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

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
  uuid: {
    oid: 2950,
    size: (value: string) => {
      if (!UUID.test(value)) throw new TypeError(`${JSON.stringify(value)} is no UUID`);
      return 16;
    },
    write: (into, at, value: string) => into.write(value.replaceAll('-', ''), at, 'hex'),
  },
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
