import {
  type DeliveryNote,
  type LivePayload,
  liveForm,
  type PayloadForm,
  plainForm,
} from '../../upstream/live-payload.ts';

/** The first byte of a final text frame: FIN and opcode 1. */
const TEXT = 0x81;
const BRACE = 0x7d;

/** Returns the start of an operation's `next` message, up to the payload. */
export function nextHead(id: string): Buffer {
  return Buffer.from(`{"id":${JSON.stringify(id)},"type":"next","payload":`);
}

/** Puts the frames of `next` messages into one buffer, so that they need only one write. */
export type Framer = (
  head: Buffer,
  payloads: readonly LivePayload[],
  notes?: readonly DeliveryNote[],
) => Buffer;

/** The framers of the two kinds of clients. */
export interface Framers {
  /** For clients that have not sent `extensions.live`. */
  readonly plain: Framer;
  readonly live: Framer;
}

interface Frames {
  /** Whole frames, with a gap for the head of each message (see `nextHead`). */
  readonly bytes: Buffer;
  /** The offsets of the gaps. */
  readonly heads: readonly number[];
}

export function createFramers(): Framers {
  return { plain: createFramer(plainForm), live: createFramer(liveForm) };
}

/**
 * Creates a framer. The clients of a stream receive the same payloads one after the other. Their
 * frames differ only in the heads of the messages (see `nextHead`), which usually have the same
 * length. The rest of the frames is therefore built once for all clients. A server does not mask
 * its frames (RFC 6455, 5.1).
 */
function createFramer({ jsonOf }: PayloadForm): Framer {
  let last: { payloads: readonly LivePayload[]; length: number; frames: Frames } | undefined;
  const framesOf = (payloads: readonly LivePayload[], length: number): Frames => {
    if (last?.payloads === payloads && last.length === length) return last.frames;
    const frames = joinFrames(bodiesOf(payloads), length);
    last = { payloads, length, frames };
    return frames;
  };
  const bodiesOf = (payloads: readonly LivePayload[], notes?: readonly DeliveryNote[]): Buffer[] =>
    payloads.map((payload, index) => jsonOf(payload, notes?.[index]));
  return (head, payloads, notes) => {
    if (notes) return fill(joinFrames(bodiesOf(payloads, notes), head.length), head);
    const { bytes, heads } = framesOf(payloads, head.length);
    const own = Buffer.allocUnsafe(bytes.length);
    own.set(bytes);
    return fill({ bytes: own, heads }, head);
  };
}

function fill({ bytes, heads }: Frames, head: Buffer): Buffer {
  for (const at of heads) bytes.set(head, at);
  return bytes;
}

function joinFrames(bodies: readonly Buffer[], headLength: number): Frames {
  let size = 0;
  for (const body of bodies) {
    const length = headLength + body.length + 1;
    size += headerSize(length) + length;
  }
  const bytes = Buffer.allocUnsafe(size);
  const heads: number[] = [];
  let at = 0;
  for (const body of bodies) {
    at = writeHeader(bytes, at, headLength + body.length + 1);
    heads.push(at);
    at += headLength;
    bytes.set(body, at);
    at += body.length;
    bytes[at] = BRACE;
    at += 1;
  }
  return { bytes, heads };
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
