import type { LivePayload } from './live-payload.ts';

/** A final text frame's first byte: FIN and opcode 1. */
const TEXT = 0x81;
const BRACE = 0x7d;

/** The start of every `next` message of an operation, up to its payload. */
export function nextHead(id: string): Buffer {
  return Buffer.from(`{"id":${JSON.stringify(id)},"type":"next","payload":`);
}

/**
 * Websocket frames of `next` messages, all in one buffer: one write, however many there are, and
 * no text is encoded a second time. Frames of a server are not masked (RFC 6455, 5.1).
 */
export function nextFrames(
  head: Buffer,
  payloads: readonly LivePayload[],
  conflated?: readonly number[],
): Buffer {
  const bodies = payloads.map((payload, index) => {
    const replaced = conflated?.[index];
    return replaced ? Buffer.from(payload.conflated(replaced)) : payload.bytes;
  });
  let size = 0;
  for (const body of bodies) {
    const length = head.length + body.length + 1;
    size += headerSize(length) + length;
  }
  const frames = Buffer.allocUnsafe(size);
  let at = 0;
  for (const body of bodies) {
    at = writeHeader(frames, at, head.length + body.length + 1);
    frames.set(head, at);
    at += head.length;
    frames.set(body, at);
    at += body.length;
    frames[at] = BRACE;
    at += 1;
  }
  return frames;
}

function headerSize(length: number): number {
  if (length < 126) return 2;
  return length < 65_536 ? 4 : 10;
}

function writeHeader(frames: Buffer, at: number, length: number): number {
  frames[at] = TEXT;
  if (length < 126) {
    frames[at + 1] = length;
    return at + 2;
  }
  if (length < 65_536) {
    frames[at + 1] = 126;
    frames.writeUInt16BE(length, at + 2);
    return at + 4;
  }
  frames[at + 1] = 127;
  frames.writeBigUInt64BE(BigInt(length), at + 2);
  return at + 10;
}
