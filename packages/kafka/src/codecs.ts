import { promisify } from 'node:util';
import { gzip, unzip } from 'node:zlib';
import { decompress as decompressFrame } from 'fzstd';
import { snappyUncompressor } from 'hysnappy';
import kafkajs from 'kafkajs';
import { decompressLz4 } from './lz4.ts';

/**
 * Maximum size of a decompressed record batch, in bytes. Brokers limit only the size of the
 * compressed batch, to 1 MiB by default. Such a batch can decompress to gigabytes.
 */
export const BATCH_LIMIT = 32 * 1024 * 1024;

/** A codec of kafkajs. This system itself sends uncompressed batches. */
interface Codec {
  readonly compress: (encoder: { readonly buffer: Buffer }) => Promise<Buffer>;
  readonly decompress: (batch: Buffer) => Promise<Buffer>;
}

const unzipAsync = promisify(unzip);
const gzipAsync = promisify(gzip);

/**
 * Adds codecs with a size limit to kafkajs, which itself includes only gzip, without a limit. The
 * codecs are needed for records that were compressed by another producer, or by the broker because
 * of a topic's `compression.type`.
 */
export function installCodecs(): void {
  const { CompressionTypes, CompressionCodecs } = kafkajs;
  const codecs: Record<number, () => Codec> = CompressionCodecs;
  codecs[CompressionTypes.GZIP] = () => ({
    compress: ({ buffer }) => gzipAsync(buffer),
    decompress: (batch) => unzipAsync(batch, { maxOutputLength: BATCH_LIMIT }),
  });
  codecs[CompressionTypes.Snappy] = () => decoderOf('Snappy', decompressSnappy);
  codecs[CompressionTypes.LZ4] = () => decoderOf('LZ4', decompressLz4);
  codecs[CompressionTypes.ZSTD] = () => decoderOf('Zstandard', decompressZstd);
}

function decoderOf(name: string, decompress: (batch: Buffer, limit: number) => Buffer): Codec {
  return {
    compress: async () => {
      throw new Error(`${name} is supported for reading only`);
    },
    decompress: async (batch) => decompress(batch, BATCH_LIMIT),
  };
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
/** Maximum decompressed size of a Zstandard block, in bytes. */
const ZSTD_BLOCK = 128 * 1024;

/**
 * Decodes one Zstandard frame (RFC 8878).
 * @param limit maximum size of the output and of the window that the frame requests, in bytes
 * @throws {Error} if the frame is damaged or exceeds the limit
 */
export function decompressZstd(batch: Buffer, limit: number): Buffer {
  assertZstdWithin(batch, limit);
  const { buffer, byteOffset, byteLength } = decompressFrame(batch);
  if (byteLength > limit) throw exceeds(limit);
  return Buffer.from(buffer, byteOffset, byteLength);
}

/**
 * Checks the sizes that a frame declares. Must be called before fzstd, because fzstd allocates the
 * declared size, up to 2 GB. Each compressed block counts as a block of the maximum size, because
 * its header does not declare its decompressed size.
 */
function assertZstdWithin(batch: Buffer, limit: number): void {
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
  const checksum = flags & 4 ? 4 : 0;
  if (at + checksum !== batch.length) throw damagedZstd();
  if (Math.max(memory, output) > limit + ZSTD_BLOCK) {
    throw exceeds(limit);
  }
}

function exceeds(limit: number): Error {
  return new Error(`The Zstandard frame holds more than ${limit} bytes`);
}

function damagedZstd(): Error {
  return new Error('The Zstandard frame is damaged');
}
