import type { FormattedExecutionResult } from 'graphql';
import type { EventMarks } from '../planning/upstream-operation.ts';

/** One event as all clients of a stream get it, serialised once. */
export interface LivePayload extends EventMarks {
  /** The execution result as JSON. */
  readonly json: string;
  /** The same, encoded when first wanted. */
  readonly bytes: Buffer;
  /** Its place among its upstream's events. */
  readonly seq: number;
  /** The places of the events that it replaced before any client got them. */
  readonly replaced: readonly number[];
  /** The result's JSON, saying how many older events it replaced for one client. */
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
