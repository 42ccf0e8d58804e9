import { isTracing, startSpan } from '@gudang/runtime/tracing';
import type { OutboxRow } from './outbox-row.ts';

/**
 * Starts a span for each row that is part of a trace. A span lasts from the commit to the broker's
 * acknowledgement, so it includes the wait in the outbox. A row that is sent again gets another
 * span.
 * @returns the rows, each with its span as the cause of later spans, and a function that ends the
 *   spans
 */
export function traceSending(rows: readonly OutboxRow[]): {
  readonly rows: readonly OutboxRow[];
  readonly end: () => void;
} {
  if (!isTracing() || rows.every(({ traceparent }) => traceparent === null)) {
    return { rows, end: () => {} };
  }
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
