import { headerText, isNullHeader, type KafkaRecord } from '@gudang/kafka';
import { deadLetterTopic, HEADER, isStorableText } from '@gudang/messages';
import type { SqlClient } from '@gudang/postgres';

/** An event to be written beside the state that it tells of, in one transaction. */
export interface OutboxEvent {
  readonly topic: string;
  readonly key: string;
  /** JSON. */
  readonly value: string;
  readonly version?: number;
  /** What caused it, W3C. */
  readonly traceparent?: string | undefined;
}

/** Set-wise: one statement however many events; ids follow the order given. */
export async function writeEvents(
  transaction: SqlClient,
  events: readonly OutboxEvent[],
): Promise<void> {
  if (events.length === 0) return;
  await transaction.$executeRawUnsafe(
    `INSERT INTO outbox (topic, key, value, version, traceparent)
     SELECT topic, convert_to(key, 'UTF8'), convert_to(value, 'UTF8'), version, traceparent
     FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::text[])
       WITH ORDINALITY AS event (topic, key, value, version, traceparent, position)
     ORDER BY position`,
    events.map((event) => event.topic),
    events.map((event) => event.key),
    events.map((event) => event.value),
    events.map((event) => event.version ?? null),
    events.map((event) => event.traceparent ?? null),
  );
}

/** A record that cannot be applied, and why. */
export interface DeadLetter {
  readonly record: KafkaRecord;
  readonly reason: string;
}

/** The longest header of the origin that a dead letter keeps, in characters. */
const HEADER_LIMIT = 1_000;

/**
 * Sends records to their topic's dead letters: through the outbox, so that they are there when
 * the offset is committed and not lost with the broker.
 * @param topic the origin, without the system's prefix
 */
export async function writeDeadLetters(
  transaction: SqlClient,
  topic: string,
  letters: readonly DeadLetter[],
): Promise<void> {
  if (letters.length === 0) return;
  await transaction.$executeRawUnsafe(
    `INSERT INTO outbox (topic, key, value, headers)
     SELECT $1, decode(key, 'base64'), decode(value, 'base64'), headers::jsonb
     FROM unnest($2::text[], $3::text[], $4::text[]) AS letter (key, value, headers)`,
    deadLetterTopic(topic),
    letters.map(({ record }) => record.key?.toString('base64') ?? null),
    letters.map(({ record }) => record.value?.toString('base64') ?? null),
    letters.map((letter) => JSON.stringify(deadLetterHeaders(letter))),
  );
}

function deadLetterHeaders({ record, reason }: DeadLetter): Record<string, string | null> {
  const kept: Record<string, string | null> = {};
  for (const name of Object.keys(record.headers)) {
    const text = headerText(record.headers, name) ?? '';
    if (!isStorableText(name + text) || text.length > HEADER_LIMIT) continue;
    kept[name] = isNullHeader(record.headers, name) ? null : text;
  }
  return {
    ...kept,
    [HEADER.originTopic]: record.topic,
    [HEADER.originPartition]: String(record.partition),
    [HEADER.originOffset]: record.offset,
    [HEADER.originTimestamp]: record.timestamp,
    // It may quote the record, and jsonb takes neither NUL nor half a surrogate pair.
    [HEADER.reason]: reason.replaceAll('\u0000', '').slice(0, HEADER_LIMIT).toWellFormed(),
  };
}
