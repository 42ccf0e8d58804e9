import type { FormattedExecutionResult } from 'graphql';
import type { UpstreamSink } from '../live/upstream/linked-stream.ts';
import type { SnapshotMarker } from '../live/upstream/snapshot-marker.ts';

export interface ScriptedStream {
  /** Position of the stream: number of events of the log before its next event. */
  at: number;
  readonly sink: UpstreamSink;
  readonly after: string | undefined;
  /** Whether the subgraph was asked to send the events with pauses. */
  readonly isSlow: boolean;
  /** Reads the cursor again, as graphql-ws does on a new connection; `at` stays unchanged. */
  readonly resubscribe: () => void;
}

/**
 * A subgraph in memory with a log of events, each with its own cursor. Its streams send nothing
 * until the test advances them, so a test decides which stream is ahead of another.
 */
export function createScriptedUpstream(reportsPositions: boolean) {
  const log: { key: string; n: number; text?: string }[] = [];
  const streams: ScriptedStream[] = [];
  const cursorAt = (count: number): string => `c${count}`;
  return {
    log,
    streams,
    cursorAt,
    /** @param characters length of an additional text in the event */
    append: (key: string, characters = 0): void => {
      const event = { key, n: log.length + 1 };
      log.push(characters > 0 ? { ...event, text: 'x'.repeat(characters) } : event);
    },
    subscribe: (
      cursor: () => string | undefined,
      sink: UpstreamSink,
      isSlow: boolean,
    ): (() => void) => {
      const after = cursor();
      const stream = {
        at: after === undefined ? log.length : Number(after.slice(1)),
        sink,
        after,
        isSlow,
        resubscribe: () => void cursor(),
      };
      streams.push(stream);
      return () => {
        if (streams.includes(stream)) streams.splice(streams.indexOf(stream), 1);
      };
    },
    /** Sends the next `count` events of a stream; all remaining events by default. */
    advance: (stream: ScriptedStream, count = Number.POSITIVE_INFINITY): void => {
      for (let sent = 0; sent < count && stream.at < log.length; sent += 1) {
        const event = log[stream.at];
        stream.at += 1;
        const data = { changed: { ...event, cursor: cursorAt(stream.at) } };
        const bytes = JSON.stringify(data).length;
        stream.sink.next({ data } as FormattedExecutionResult, reportsPositions, bytes);
        // The stream has been closed or replaced.
        if (!streams.includes(stream)) return;
      }
    },
    /** Announces a snapshot; unless it ends, the stream then has no position. */
    announce: ({ sink }: ScriptedStream, phase: SnapshotMarker['phase']): void => {
      if (phase !== 'end') sink.position(null);
      sink.snapshot({ phase, complete: true, reset: false });
    },
    report: (stream: ScriptedStream): void => stream.sink.position(cursorAt(stream.at)),
  };
}

/** Returns the key and the cursor of a scripted upstream's event. */
export function scriptedMarks({ data }: { data?: Record<string, unknown> | null }) {
  const { key, cursor } = (data?.['changed'] ?? {}) as { key?: string; cursor?: string };
  return { key, cursor };
}
