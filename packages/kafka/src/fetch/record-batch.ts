import { crc32c } from '../crc32c.ts';
import { decompress } from './codecs.ts';
import { type BatchContext, type DecodedRecord, decodeRecord } from './record-decoder.ts';

/** Positions in a record batch, https://kafka.apache.org/documentation/#recordbatch. */
export const BATCH = {
  firstOffset: 0,
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  checksum: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  firstTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  count: 57,
  records: 61,
} as const;
/** Size of the fields before the part of a batch that `length` counts, in bytes. */
export const UNCOUNTED = 12;
/** Number of the current message format. */
export const MAGIC = 2;

const CODEC = 0x07;
const TIMESTAMP_TYPE = 0x08;
export const TRANSACTIONAL = 0x10;
export const CONTROL = 0x20;

/**
 * Maximum number of records in a batch. A record of a few bytes takes about 250 bytes of memory, so
 * 32 MiB of them would take more than 1 GB.
 */
export const MAX_RECORDS = 300_000;

/** A number of variable length has at most this value plus its last seven bits. */
const VARINT_LIMIT = 2 ** 35;

/**
 * Decodes the records of a batch of message format 2, at most `MAX_RECORDS`.
 * @param bytes the whole batch
 * @throws {Error} if the batch is damaged or exceeds the size limit; the message is the reason
 */
export async function decodeRecordBatch(bytes: Buffer): Promise<readonly DecodedRecord[]> {
  if (bytes.length < BATCH.records) throw new Error('The batch is shorter than its header');
  if (bytes.readUInt32BE(BATCH.checksum) !== crc32c(bytes.subarray(BATCH.attributes))) {
    throw new Error('The checksum is wrong');
  }
  const attributes = bytes.readInt16BE(BATCH.attributes);
  const count = bytes.readInt32BE(BATCH.count);
  if (count === 0) return [];
  if (count > MAX_RECORDS) throw new Error(`The batch has more than ${MAX_RECORDS} records`);
  const codec = attributes & CODEC;
  const stored = bytes.subarray(BATCH.records);
  const data = codec === 0 ? stored : await decompress(codec, stored);
  return decodeRecords(data, count, {
    firstOffset: String(bytes.readBigInt64BE(BATCH.firstOffset)),
    lastOffsetDelta: bytes.readInt32BE(BATCH.lastOffsetDelta),
    firstTimestamp: String(bytes.readBigInt64BE(BATCH.firstTimestamp)),
    maxTimestamp: String(bytes.readBigInt64BE(BATCH.maxTimestamp)),
    timestampType: attributes & TIMESTAMP_TYPE ? 1 : 0,
    magicByte: MAGIC,
    isControlBatch: false,
  });
}

function decodeRecords(
  data: Buffer,
  count: number,
  context: BatchContext,
): readonly DecodedRecord[] {
  const records: DecodedRecord[] = [];
  let at = 0;
  for (let index = 0; index < count; index += 1) {
    let zigZag = 0;
    for (let unit = 1, byte = 0x80; byte > 0x7f; unit *= 0x80) {
      byte = data[at] ?? 0;
      at += 1;
      zigZag += (byte & 0x7f) * unit;
      if (zigZag >= VARINT_LIMIT) break;
    }
    const end = at + zigZag / 2;
    if (zigZag % 2 === 1 || end > data.length) {
      throw new Error(`Record ${index + 1} of ${count} exceeds the batch`);
    }
    records.push(decodeRecord({ buffer: data.subarray(at, end) }, context));
    at = end;
  }
  if (count < 0 || at < data.length) throw new Error(`The batch has more than ${count} records`);
  return records;
}
