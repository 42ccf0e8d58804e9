import type { FormattedExecutionResult } from 'graphql';
import type { EventMarks } from '../planning/upstream-operation.ts';

/** An executed event, serialized once for all clients of a stream. */
export interface LivePayload extends EventMarks {
  /** The execution result as JSON. */
  readonly json: string;
  /** The JSON in UTF-8, encoded at the first use. */
  readonly bytes: Buffer;
  /** The event's number within the upstream subscription, from 1. */
  readonly seq: number;
  /** Numbers of the events that this event replaced before any client received them. */
  readonly replaced: readonly number[];
  /** Returns the result's JSON with a conflated count in its extensions. */
  readonly conflated: (count: number) => string;
}

const NOTHING: readonly number[] = [];

export function createPayload(
  result: FormattedExecutionResult,
  { cursor, key, traceparent }: EventMarks,
  { seq, replaced = NOTHING }: { seq: number; replaced?: readonly number[] },
): LivePayload {
  const json = JSON.stringify(result);
  let bytes: Buffer | undefined;
  return {
    json,
    get bytes() {
      bytes ??= Buffer.from(json);
      return bytes;
    },
    cursor,
    key,
    traceparent,
    seq,
    replaced,
    conflated: (count) => {
      const live = `"live":{"conflated":${count}}`;
      if (!result.extensions) return `${json.slice(0, -1)},"extensions":{${live}}}`;
      const extensions = { ...result.extensions, live: { conflated: count } };
      return JSON.stringify({ ...result, extensions });
    },
  };
}
