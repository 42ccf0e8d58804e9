import { eventType, HEADER } from '@gudang/messages';
import type { IHeaders, Message } from 'kafkajs';

/** A row of the table `outbox`: an event waiting to be sent. */
export interface OutboxRow {
  /** A BIGINT, as text. */
  readonly id: string;
  /** Without the system's prefix. */
  readonly topic: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly version: number | null;
  /** Further headers; of a dead letter. */
  readonly headers: Readonly<Record<string, string | null>> | null;
  readonly traceparent: string | null;
  readonly created_at: Date;
}

/** Who sends: what every record of one relay's term carries. */
export interface RelayTerm {
  readonly source: string;
  readonly term: string;
  readonly epoch: string;
}

/** About what the headers of a record take, in bytes. */
const HEADERS_SIZE = 400;

export function rowSize(row: OutboxRow): number {
  const kept = row.headers === null ? 0 : Buffer.byteLength(JSON.stringify(row.headers));
  return (row.key?.length ?? 0) + (row.value?.length ?? 0) + kept + HEADERS_SIZE;
}

/**
 * The first rows that fit in so many bytes, one at least: kafkajs makes one record batch of all
 * that goes to a partition, and a broker refuses a batch above its limit as a whole.
 */
export function rowsWithin(rows: readonly OutboxRow[], bytes: number): readonly OutboxRow[] {
  let total = 0;
  const end = rows.findIndex((row, index) => {
    total += rowSize(row);
    return total > bytes && index > 0;
  });
  return end === -1 ? rows : rows.slice(0, end);
}

/** The record of a row. Its CloudEvents id stays the same however often it is sent. */
export function toMessage(row: OutboxRow, relay: RelayTerm): Message {
  const headers: IHeaders = {
    [HEADER.id]: `${relay.source}/${relay.epoch}/${row.id}`,
    [HEADER.source]: relay.source,
    [HEADER.type]: row.topic.endsWith('.dlt') ? 'gudang.dead_letter' : eventType(row.topic),
    [HEADER.specVersion]: '1.0',
    [HEADER.time]: row.created_at.toISOString(),
    [HEADER.term]: relay.term,
    [HEADER.epoch]: relay.epoch,
    [HEADER.outboxId]: row.id,
  };
  if (row.version !== null) headers[HEADER.version] = String(row.version);
  if (row.traceparent !== null) headers[HEADER.traceparent] = row.traceparent;
  if (row.headers !== null) Object.assign(headers, row.headers);
  return { key: row.key, value: row.value, headers };
}
