import { eventType, HEADER } from '@gudang/messages';
import type { IHeaders, Message } from 'kafkajs';

/** A row of the table `outbox`. It contains an event that waits to be sent. */
export interface OutboxRow {
  /** A BIGINT, as text. */
  readonly id: string;
  /** The topic's name without KAFKA_TOPIC_PREFIX. */
  readonly topic: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly version: number | null;
  /** Additional headers; only dead letters have them. */
  readonly headers: Readonly<Record<string, string | null>> | null;
  readonly traceparent: string | null;
  readonly created_at: Date;
}

/** The relay that sends a record: its service, term and epoch. */
export interface RecordSource {
  /** The CloudEvents source, such as `/order-subgraph`. */
  readonly source: string;
  readonly term: string;
  readonly epoch: string;
}

/** Approximate size of a record's headers, in bytes. */
const HEADERS_SIZE = 400;

/** Estimates the size of a row's record, in bytes. */
export function rowSize(row: OutboxRow): number {
  const headers = row.headers === null ? 0 : Buffer.byteLength(JSON.stringify(row.headers));
  return (row.key?.length ?? 0) + (row.value?.length ?? 0) + headers + HEADERS_SIZE;
}

/**
 * Returns the first rows whose records fit into a number of bytes, but at least one row. The size
 * is limited because kafkajs puts all records for a partition into one record batch, and a broker
 * refuses the whole batch if it exceeds the broker's limit.
 */
export function rowsWithin(rows: readonly OutboxRow[], bytes: number): readonly OutboxRow[] {
  let total = 0;
  const end = rows.findIndex((row, index) => {
    total += rowSize(row);
    return total > bytes && index > 0;
  });
  return end === -1 ? rows : rows.slice(0, end);
}

/** Builds the record of a row. Its CloudEvents id is the same each time the row is sent. */
export function toMessage(row: OutboxRow, { source, term, epoch }: RecordSource): Message {
  const headers: IHeaders = {
    [HEADER.id]: `${source}/${epoch}/${row.id}`,
    [HEADER.source]: source,
    [HEADER.type]: row.topic.endsWith('.dlt') ? 'gudang.dead_letter' : eventType(row.topic),
    [HEADER.specVersion]: '1.0',
    [HEADER.time]: row.created_at.toISOString(),
    [HEADER.term]: term,
    [HEADER.epoch]: epoch,
    [HEADER.outboxId]: row.id,
  };
  if (row.version !== null) headers[HEADER.version] = String(row.version);
  if (row.traceparent !== null) headers[HEADER.traceparent] = row.traceparent;
  return {
    key: row.key,
    value: row.value,
    // Do not use Object.assign, because it would omit a header named `__proto__`.
    headers: row.headers === null ? headers : ({ ...headers, ...row.headers } as IHeaders),
  };
}
