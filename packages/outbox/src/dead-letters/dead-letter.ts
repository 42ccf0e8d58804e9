import { headerText, type KafkaRecord } from '@gudang/kafka';
import { HEADER, originalTopic } from '@gudang/messages';

export type HandledAs = 'replayed' | 'dropped';

/** A record that was not applied. It may have been dead-lettered several times. */
export interface DeadLetterEntry {
  /** The newest dead letter of the record, which a replay sends. */
  readonly record: KafkaRecord;
  /** The offsets of all dead letters of the record in the dead-letter topic, oldest first. */
  readonly offsets: readonly string[];
  readonly origin: {
    readonly topic: string;
    readonly partition: string;
    readonly offset: string;
    /**
     * Present if the dead letter contains the bytes of a whole record batch, which cannot be
     * replayed: the offset of the batch's last record.
     */
    readonly lastOffset?: string;
  };
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
    const offset = headerText(headers, HEADER.handledOffset);
    if (offset !== undefined) handled.add(offset);
  }
  const entries = new Map<string, DeadLetterEntry>();
  for (const record of records) {
    const { headers, offset } = record;
    if (handled.has(offset) || headerText(headers, HEADER.handledOffset) !== undefined) continue;
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
  const written = new Date(Number(headerText(headers, HEADER.originTimestamp) ?? timestamp));
  const lastOffset = headerText(headers, HEADER.originLastOffset);
  return {
    record,
    offsets: [],
    origin: {
      topic: headerText(headers, HEADER.originTopic) ?? originalTopic(topic),
      partition: headerText(headers, HEADER.originPartition) ?? `dlt ${partition}`,
      offset: headerText(headers, HEADER.originOffset) ?? offset,
      ...(lastOffset !== undefined && { lastOffset }),
    },
    reason: headerText(headers, HEADER.reason) ?? 'unknown',
    // Other clients may set any timestamp, also one outside the range of Date.
    at: Number.isNaN(written.getTime()) ? new Date(0) : written,
  };
}
