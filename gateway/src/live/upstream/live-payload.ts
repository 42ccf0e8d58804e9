import type { FormattedExecutionResult } from 'graphql';
import { bytesOf } from '../../limits/byte-account.ts';
import type { EventMarks } from '../planning/upstream-operation.ts';

/** Memory of a payload besides its JSON and strings, in bytes: an upper estimate. */
const PAYLOAD_BYTES = 512;
/** Memory of the number of a replaced event, in bytes. */
const NUMBER_BYTES = 8;

/** An executed event, serialized once for all clients of a stream. */
export interface LivePayload extends EventMarks {
  /** The execution result as JSON in UTF-8. */
  readonly bytes: Buffer;
  /** Memory that the payload takes, in bytes. */
  readonly size: number;
  /** The event's number within the upstream subscription, from 1. */
  readonly seq: number;
  /** Numbers of the events that this event replaced before any client received them. */
  readonly replaced: readonly number[];
  /** Returns the result's JSON with members added to `extensions.live`. */
  readonly withLive: (added: LiveMembers) => Buffer;
}

/** Members of `extensions.live` of a result; see docs/live-protocol.md. */
export interface LiveMembers {
  readonly cursor?: string | undefined;
  readonly conflated?: number;
}

/** Returns the JSON that clients of one kind receive for a payload. */
export type PayloadJson = (payload: LivePayload, conflated: number) => Buffer;

/** The JSON for clients that have not sent `extensions.live`. */
export const plainJson: PayloadJson = (payload, conflated) =>
  conflated > 0 ? payload.withLive({ conflated }) : payload.bytes;

/** The JSON for clients that have sent `extensions.live`: each event carries its cursor. */
export const liveJson: PayloadJson = (payload, conflated) => {
  const { cursor } = payload;
  if (cursor === undefined) return plainJson(payload, conflated);
  return payload.withLive(conflated > 0 ? { cursor, conflated } : { cursor });
};

const NOTHING: readonly number[] = [];

/** Keeps only the JSON of the result, and in one form, so that its size is known exactly. */
export function createPayload(
  result: FormattedExecutionResult,
  { cursor, key, traceparent }: EventMarks,
  { seq, replaced = NOTHING }: { seq: number; replaced?: readonly number[] },
): LivePayload {
  const { extensions, ...rest } = result;
  const start = JSON.stringify(rest).slice(0, -1);
  const bytes = encode(
    extensions ? `${start},"extensions":${JSON.stringify(extensions)}}` : `${start}}`,
  );
  const startLength = extensions ? Buffer.byteLength(start) : bytes.length - 1;
  const strings = bytesOf(cursor ?? '') + bytesOf(key ?? '') + bytesOf(traceparent ?? '');
  return {
    bytes,
    size: bytes.length + strings + replaced.length * NUMBER_BYTES + PAYLOAD_BYTES,
    cursor,
    key,
    traceparent,
    seq,
    replaced,
    withLive: (added) => {
      const earlier = extensions?.['live'];
      const own = typeof earlier === 'object' ? earlier : undefined;
      const live = { ...extensions, live: { ...own, ...added } };
      const end = Buffer.from(`,"extensions":${JSON.stringify(live)}}`);
      return Buffer.concat([bytes.subarray(0, startLength), end]);
    },
  };
}

/** Creates the message of a position: a cursor without an event. */
export function createPosition(cursor: string): LivePayload {
  return createPayload({ data: null }, { cursor, key: undefined }, { seq: 0 });
}

/**
 * Encodes a text in memory of its own. `Buffer.from` would put short texts into a shared slab of
 * 8 KiB, and one kept payload would keep the whole slab.
 */
function encode(text: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
}
