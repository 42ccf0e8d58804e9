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
  /**
   * Whether a later event has replaced an event before this one. A client must not resume between them,
   * because it would never learn of the replaced event.
   */
  readonly more: boolean;
  /** Returns the result's JSON with members added to `extensions.live`. */
  readonly withLive: (added: LiveMembers) => Buffer;
}

/** Members of `extensions.live` of a result; see gateway/docs/live-protocol.md. */
export interface LiveMembers {
  readonly cursor?: string | undefined;
  readonly conflated?: number;
  readonly more?: true;
}

/** Members of a payload that differ between clients. */
export interface DeliveryNote {
  /** Number of events that the payload replaces for this client. */
  readonly conflated: number;
  /** See `LivePayload.more`. */
  readonly more: boolean;
}

/** How one kind of clients receives payloads. */
export interface PayloadForm {
  readonly jsonOf: (payload: LivePayload, note?: DeliveryNote) => Buffer;
  /** Returns the cursor after which the client may resume, if the payload has one. */
  readonly cursorOf: (payload: LivePayload, note?: DeliveryNote) => string | undefined;
}

/** The form for clients that have not sent `extensions.live`. */
export const plainForm: PayloadForm = {
  jsonOf: (payload, { conflated } = UNNOTED) =>
    conflated > 0 ? payload.withLive({ conflated }) : payload.bytes,
  cursorOf: ({ cursor }) => cursor,
};

/** The form for clients that have sent `extensions.live`: each event carries its cursor, or `more`. */
export const liveForm: PayloadForm = {
  jsonOf: (payload, note) => {
    if (payload.cursor === undefined) return plainForm.jsonOf(payload, note);
    const cursor = liveForm.cursorOf(payload, note);
    return payload.withLive({
      ...(cursor === undefined ? { more: true } : { cursor }),
      ...(note && note.conflated > 0 ? { conflated: note.conflated } : {}),
    });
  },
  cursorOf: ({ cursor, more }, note) => (more || note?.more ? undefined : cursor),
};

const UNNOTED: DeliveryNote = { conflated: 0, more: false };

const NOTHING: readonly number[] = [];

/** Keeps only the JSON of the result, and in one form, so that its size is known exactly. */
export function createPayload(
  result: FormattedExecutionResult,
  { cursor, key, traceparent }: EventMarks,
  {
    seq,
    replaced = NOTHING,
    more = false,
  }: { seq: number; replaced?: readonly number[]; more?: boolean },
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
    more,
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
