import { promisify } from 'node:util';
import { unzip } from 'node:zlib';
import { decompress as decompressFrame } from 'fzstd';
import { snappyUncompressor } from 'hysnappy';
import { decompressLz4 } from './lz4.ts';

/**
 * Maximum size of a decompressed record batch, in bytes. Brokers limit only the size of the
 * compressed batch, to 1 MiB by default. Such a batch can decompress to gigabytes.
 */
export const BATCH_LIMIT = 32 * 1024 * 1024;

const unzipAsync = promisify(unzip);

/**
 * Decompresses the records of a batch. kafkajs itself includes only gzip, without a limit. The
 * codecs are needed for records that were compressed by another producer, or by the broker because
 * of a topic's `compression.type`. This system itself sends uncompressed batches.
 * @param codec the codec's number in the batch's attributes: 1 gzip, 2 Snappy, 3 LZ4, 4 Zstandard
 * @throws {Error} if the codec is unknown, the data is damaged, or the output exceeds BATCH_LIMIT
 */
export function decompress(codec: number, data: Buffer): Buffer | Promise<Buffer> {
  if (codec === 1) return unzipAsync(data, { maxOutputLength: BATCH_LIMIT });
  if (codec === 2) return decompressSnappy(data, BATCH_LIMIT);
  if (codec === 3) return decompressLz4(data, BATCH_LIMIT);
  if (codec === 4) return decompressZstd(data, BATCH_LIMIT);
  throw new Error(`The compression codec ${codec} is unknown`);
}

/**
 * Magic bytes with which the output of Java's Snappy library begins, before its frames. librdkafka
 * instead writes a single block, without magic bytes or frames.
 */
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const XERIAL_HEADER = 16;

/**
 * Decodes Snappy data: one block, or the frames of https://github.com/xerial/snappy-java.
 * @param limit maximum size of the output, in bytes
 * @throws {Error} if the data is damaged or its output exceeds the limit
 */
export function decompressSnappy(batch: Buffer, limit: number): Buffer {
  if (!batch.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) {
    return decompressSnappyBlock(batch, limit);
  }
  const blocks: Buffer[] = [];
  let left = limit;
  for (let at = XERIAL_HEADER; at < batch.length; ) {
    const start = at + 4;
    at = start + batch.readUInt32BE(at);
    const block = decompressSnappyBlock(batch.subarray(start, at), left);
    left -= block.length;
    blocks.push(block);
  }
  return Buffer.concat(blocks);
}

let uncompressSnappy: ReturnType<typeof snappyUncompressor> | undefined;

function decompressSnappyBlock(block: Buffer, limit: number): Buffer {
  let size = 0;
  for (let at = 0, unit = 1; ; at += 1, unit *= 0x80) {
    const byte = block[at];
    if (byte === undefined || at > 4) throw new Error('The Snappy block is damaged');
    size += (byte & 0x7f) * unit;
    if (byte < 0x80) break;
  }
  if (size > limit) throw new Error(`The Snappy block holds more than ${limit} bytes`);
  uncompressSnappy ??= snappyUncompressor();
  const { buffer, byteOffset, byteLength } = uncompressSnappy(block, size);
  return Buffer.from(buffer, byteOffset, byteLength);
}

const ZSTD_MAGIC = 0xfd2fb528;
/** Lowest of the 16 magic numbers of skippable frames, which contain no data. */
const ZSTD_SKIPPABLE_MAGIC = 0x184d2a50;
/** Maximum decompressed size of a Zstandard block, in bytes. */
const ZSTD_BLOCK = 128 * 1024;

/**
 * Decodes Zstandard frames (RFC 8878).
 * @param limit maximum size of the output and of the window that a frame requests, in bytes
 * @throws {Error} if a frame is damaged, or the frames exceed the limit
 */
export function decompressZstd(batch: Buffer, limit: number): Buffer {
  const outputs: Buffer[] = [];
  let left = limit;
  for (let at = 0; at < batch.length; ) {
    const rest = batch.subarray(at);
    if (rest.length >= 8 && (rest.readUInt32LE(0) & ~0xf) >>> 0 === ZSTD_SKIPPABLE_MAGIC) {
      at += 8 + rest.readUInt32LE(4);
      continue;
    }
    const size = checkZstdFrame(rest, left, limit);
    const { buffer, byteOffset, byteLength } = decompressFrame(rest.subarray(0, size));
    if (byteLength > left) throw exceeds(limit);
    left -= byteLength;
    outputs.push(Buffer.from(buffer, byteOffset, byteLength));
    at += size;
  }
  const [first] = outputs;
  if (first === undefined) throw damagedZstd();
  return outputs.length === 1 ? first : Buffer.concat(outputs);
}

/**
 * Checks the sizes that a frame declares. Must be called before fzstd, because fzstd allocates the
 * declared size, up to 2 GB. Each compressed block counts as a block of the maximum size, because
 * its header does not declare its decompressed size.
 * @param left maximum size of the frame's output, in bytes
 * @returns the size of the compressed frame, in bytes
 */
function checkZstdFrame(batch: Buffer, left: number, limit: number): number {
  if (batch.length < 9 || batch.readUInt32LE(0) !== ZSTD_MAGIC) throw damagedZstd();
  const flags = batch.readUInt8(4);
  const isSingleSegment = (flags & 32) !== 0;
  let at = 5;
  let memory = 0;
  if (!isSingleSegment) {
    const window = batch.readUInt8(at);
    const base = 2 ** (10 + (window >> 3));
    memory = base + (base / 8) * (window & 7);
    at += 1;
  }
  at += [0, 1, 2, 4][flags & 3] as number;
  const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][flags >> 6] as number;
  if (sizeBytes === 8) memory = Math.max(memory, Number(batch.readBigUInt64LE(at)));
  else if (sizeBytes > 0) memory = Math.max(memory, batch.readUIntLE(at, sizeBytes));
  at += sizeBytes;
  let output = 0;
  for (let isLast = false; !isLast; ) {
    const head = batch.readUIntLE(at, 3);
    const type = (head >> 1) & 3;
    const size = head >> 3;
    output += type === 2 ? ZSTD_BLOCK : size;
    // A run-length block contains only the byte that it repeats.
    at += 3 + (type === 1 ? 1 : size);
    isLast = (head & 1) === 1;
  }
  at += flags & 4 ? 4 : 0;
  if (at > batch.length) throw damagedZstd();
  if (memory > limit + ZSTD_BLOCK || output > left + ZSTD_BLOCK) throw exceeds(limit);
  return at;
}

function exceeds(limit: number): Error {
  return new Error(`The Zstandard frames hold more than ${limit} bytes`);
}

function damagedZstd(): Error {
  return new Error('The Zstandard frame is damaged');
}
