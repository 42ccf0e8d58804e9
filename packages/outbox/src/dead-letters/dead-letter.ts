import { headerText, type KafkaRecord } from '@gudang/kafka';
import { HEADER } from '@gudang/messages';

/**
 * Headers of a record that marks a dead letter as handled: the offset of the dead letter, and the
 * action that was taken.
 */
export const HANDLED = { offset: 'gudang_handled', verdict: 'gudang_verdict' } as const;

export type HandledAs = 'replayed' | 'dropped';

/** A record that was not applied. It may have been dead-lettered several times. */
export interface DeadLetterEntry {
  /** The newest dead letter of the record, which a replay sends. */
  readonly record: KafkaRecord;
  /** The offsets of all dead letters of the record in the dead-letter topic, oldest first. */
  readonly offsets: readonly string[];
  readonly origin: { readonly topic: string; readonly partition: string; readonly offset: string };
  readonly reason: string;
  /**
   * The time at which the original record was written; if that is unknown, the time at which it was
   * dead-lettered.
   */
  readonly at: Date;
}

/**
 * Returns the dead letters that are not handled. A handled dead letter remains in the topic,
 * because Kafka deletes records only from the start of a partition. A later record marks the dead
 * letter as handled.
 */
export function findUnhandled(records: readonly KafkaRecord[]): readonly DeadLetterEntry[] {
  const handled = new Set<string>();
  for (const { headers } of records) {
    const offset = headerText(headers, HANDLED.offset);
    if (offset !== undefined) handled.add(offset);
  }
  const entries = new Map<string, DeadLetterEntry>();
  for (const record of records) {
    const { headers, offset } = record;
    if (handled.has(offset) || headerText(headers, HANDLED.offset) !== undefined) continue;
    const entry = toEntry(record);
    const key = JSON.stringify(entry.origin);
    const earlier = entries.get(key)?.offsets ?? [];
    // Move the entry to the end, because entries are ordered by their newest dead letter.
    entries.delete(key);
    entries.set(key, { ...entry, offsets: [...earlier, offset] });
  }
  return [...entries.values()];
}

function toEntry(record: KafkaRecord): DeadLetterEntry {
  const { headers, topic, partition, offset, timestamp } = record;
  const written = Number(headerText(headers, HEADER.originTimestamp) ?? timestamp);
  return {
    record,
    offsets: [],
    origin: {
      topic: headerText(headers, HEADER.originTopic) ?? topic.replace(/\.dlt$/, ''),
      partition: headerText(headers, HEADER.originPartition) ?? `dlt ${partition}`,
      offset: headerText(headers, HEADER.originOffset) ?? offset,
    },
    reason: headerText(headers, HEADER.reason) ?? 'unknown',
    at: new Date(Number.isFinite(written) ? written : 0),
  };
}
