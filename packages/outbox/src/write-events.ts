import type { SqlClient } from '@gudang/postgres';

/** An event. It is written in the same transaction as the state that it announces. */
export interface OutboxEvent {
  readonly topic: string;
  readonly key: string;
  /** JSON. */
  readonly value: string;
  readonly version?: number;
  /** W3C traceparent of the cause. */
  readonly traceparent?: string | undefined;
}

/** Writes events to the outbox in one statement. Their ids follow the order of the array. */
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
