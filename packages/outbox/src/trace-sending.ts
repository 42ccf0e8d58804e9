import { isTracing, startSpan } from '@gudang/runtime/tracing';
import type { OutboxRow } from './outbox-row.ts';

/**
 * A span for each row that is part of a trace, from its commit to the broker's acknowledgement: how
 * long it lay in the outbox is part of it. Rows that are sent again get another one.
 */
export function traceSending(rows: readonly OutboxRow[]): {
  /** The rows, each naming its own span as the cause of what comes of it. */
  readonly rows: readonly OutboxRow[];
  readonly end: () => void;
} {
  if (!isTracing()) return { rows, end: () => {} };
  const ends: (() => void)[] = [];
  const traced = rows.map((row) => {
    if (row.traceparent === null) return row;
    const span = startSpan(`outbox ${row.topic}`, {
      kind: 'producer',
      parent: row.traceparent,
      from: row.created_at.getTime(),
      attributes: { 'messaging.system': 'kafka', 'messaging.destination.name': row.topic },
    });
    if (span === undefined) return row;
    ends.push(span.end);
    return { ...row, traceparent: span.traceparent };
  });
  return {
    rows: traced,
    end: () => {
      for (const end of ends) end();
    },
  };
}
