const MAGIC = 0x184d2204;
const MIN_MATCH = 4;
const UNCOMPRESSED = 0x80000000;
/** Maximum size of a block, in bytes, for each block size id from 4 to 7. */
const BLOCK_SIZES: Readonly<Record<number, number>> = {
  4: 64 * 1024,
  5: 256 * 1024,
  6: 1024 * 1024,
  7: 4 * 1024 * 1024,
};

/** Properties of a frame's blocks, read from the frame's header. */
interface Frame {
  readonly firstBlock: number;
  readonly maxBlockSize: number;
  /** Length of the checksum after each block, in bytes. */
  readonly checksum: number;
}

/**
 * Decodes an LZ4 frame (https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md) without
 * verifying its checksums. No library is used, because the libraries in pure JavaScript do not
 * check bounds: for example, a damaged length made lz4js 0.2.0 run for 2^31 steps.
 * @param limit maximum size of the output, in bytes
 * @throws {Error} if the frame is damaged or its output exceeds the limit
 */
export function decompressLz4(input: Buffer, limit: number): Buffer {
  const { firstBlock, maxBlockSize, checksum } = readFrame(input);
  const blocks: { readonly start: number; readonly end: number; readonly compressed: boolean }[] =
    [];
  let capacity = 0;
  let at = firstBlock;
  for (;;) {
    const size = input.readUInt32LE(at);
    if (size === 0) break;
    const compressed = size < UNCOMPRESSED;
    const start = at + 4;
    const end = start + (compressed ? size : size - UNCOMPRESSED);
    if (end > input.length) throw damaged();
    blocks.push({ start, end, compressed });
    capacity += compressed ? maxBlockSize : end - start;
    at = end + checksum;
  }
  // The buffer is one byte longer than the limit, to distinguish an output of exactly that length
  // from a longer output.
  const output = Buffer.allocUnsafe(Math.min(capacity, limit + 1));
  let size = 0;
  for (const { start, end, compressed } of blocks) {
    size = compressed
      ? decodeBlock(input, start, end, output, size)
      : size + input.copy(output, size, start, end);
    if (size > limit) throw new Error(`The LZ4 frame holds more than ${limit} bytes`);
  }
  // Return a copy, because the decoded records refer to the returned buffer. Without the copy, they
  // would keep the whole capacity of `output` in memory.
  return Buffer.from(output.subarray(0, size));
}

function readFrame(input: Buffer): Frame {
  if (input.length < 11 || input.readUInt32LE(0) !== MAGIC) throw damaged();
  const flags = input.readUInt8(4);
  const maxBlockSize = BLOCK_SIZES[(input.readUInt8(5) >> 4) & 7];
  if (flags >> 6 !== 1 || maxBlockSize === undefined) throw damaged();
  const contentSize = flags & 8 ? 8 : 0;
  const dictionary = flags & 1 ? 4 : 0;
  return {
    firstBlock: 6 + contentSize + dictionary + 1,
    maxBlockSize,
    checksum: flags & 16 ? 4 : 0,
  };
}

/**
 * Decodes one block and appends it to the output. The block's matches may refer to earlier output.
 * @param size length of the output so far
 * @returns the new length of the output; more than the buffer's length if the block does not fit
 */
function decodeBlock(input: Buffer, start: number, end: number, output: Buffer, size: number) {
  let at = start;
  let out = size;
  const readLength = (first: number): number => {
    let length = first;
    if (first !== 15) return length;
    for (;;) {
      if (at >= end) throw damaged();
      const more = input[at] as number;
      at += 1;
      length += more;
      if (more !== 255) return length;
    }
  };
  while (at < end) {
    const token = input[at] as number;
    at += 1;
    const literals = readLength(token >> 4);
    if (at + literals > end) throw damaged();
    if (out + literals > output.length) return output.length + 1;
    input.copy(output, out, at, at + literals);
    at += literals;
    out += literals;
    // The last sequence of a block has no match, so the block ends here.
    if (at >= end) break;
    if (at + 2 > end) throw damaged();
    const distance = input.readUInt16LE(at);
    at += 2;
    const length = readLength(token & 15) + MIN_MATCH;
    if (distance === 0 || distance > out) throw damaged();
    if (out + length > output.length) return output.length + 1;
    const from = out - distance;
    if (distance >= length) output.copyWithin(out, from, from + length);
    else for (let n = 0; n < length; n += 1) output[out + n] = output[from + n] as number;
    out += length;
  }
  return out;
}

function damaged(): Error {
  return new Error('The LZ4 frame is damaged');
}
