/** The polynomial of CRC-32C (Castagnoli), with reversed bits. Node's zlib.crc32 uses another one. */
const POLYNOMIAL = 0x82f63b78;

/** Table `n` contains, for each byte, the checksum of that byte followed by `n` zero bytes. */
const tables = createTables(8);

function createTables(count: number): readonly Int32Array[] {
  const created = Array.from({ length: count }, () => new Int32Array(256));
  const [first = new Int32Array(256)] = created;
  for (let byte = 0; byte < 256; byte += 1) {
    let sum = byte;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (sum & 1 ? POLYNOMIAL : 0);
    first[byte] = sum;
  }
  for (let byte = 0; byte < 256; byte += 1) {
    let sum = first[byte] as number;
    for (const table of created.slice(1)) {
      sum = (sum >>> 8) ^ (first[sum & 0xff] as number);
      table[byte] = sum;
    }
  }
  return created;
}

const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as readonly [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
];

/**
 * Returns the CRC-32C of bytes, which is the checksum of Kafka's record batches. Processes eight
 * bytes at a time ("slicing by 8"): 1.3 GB/s, compared to 0.44 GB/s with kafkajs's function.
 */
export function crc32c(bytes: Uint8Array): number {
  let sum = -1;
  let at = 0;
  for (const end = bytes.length - 7; at < end; at += 8) {
    const word =
      sum ^
      ((bytes[at] as number) |
        ((bytes[at + 1] as number) << 8) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 24));
    sum =
      (t7[word & 0xff] as number) ^
      (t6[(word >>> 8) & 0xff] as number) ^
      (t5[(word >>> 16) & 0xff] as number) ^
      (t4[word >>> 24] as number) ^
      (t3[bytes[at + 4] as number] as number) ^
      (t2[bytes[at + 5] as number] as number) ^
      (t1[bytes[at + 6] as number] as number) ^
      (t0[bytes[at + 7] as number] as number);
  }
  for (; at < bytes.length; at += 1) {
    sum = (sum >>> 8) ^ (t0[(sum ^ (bytes[at] as number)) & 0xff] as number);
  }
  return ~sum >>> 0;
}
