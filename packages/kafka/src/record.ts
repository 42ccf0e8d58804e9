import type { Batch, KafkaMessage } from 'kafkajs';
import type { BatchDamage, FetchedMessage } from './fetch/fetched-messages.ts';
import type { HeaderValue } from './fetch/record-decoder.ts';

/** The headers of a record by name. A header that occurs several times has an array of values. */
export type RecordHeaders = Readonly<
  Record<string, HeaderValue | readonly HeaderValue[] | undefined>
>;

/** A record as it was read from a topic. */
export interface KafkaRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  /** Milliseconds since 1970, as text. */
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: RecordHeaders;
  /**
   * Present if this represents a batch of records that cannot be decoded. `value` is the batch's
   * bytes, and `offset` is the offset of its last record.
   */
  readonly damage?: BatchDamage;
}

/**
 * Returns the records among messages of a partition. The consumer's position after these messages is
 * the offset of the last message plus 1, even if that message is no record.
 */
export function toRecords(
  { topic, partition }: Pick<Batch, 'topic' | 'partition'>,
  messages: readonly KafkaMessage[],
): KafkaRecord[] {
  const records: KafkaRecord[] = [];
  for (const message of messages as readonly (KafkaMessage & Partial<FetchedMessage>)[]) {
    if (message.isSkipped) continue;
    const { offset, timestamp, key, value, headers = {}, damage } = message;
    const record = { topic, partition, offset, timestamp, key, value, headers };
    records.push(damage === undefined ? record : { ...record, damage });
  }
  return records;
}

/** Returns the offset from which a batch was fetched. kafkajs's types omit this property. */
export function fetchedOffset(batch: Batch): number {
  return Number((batch as Batch & { readonly fetchedOffset: string }).fetchedOffset);
}

/**
 * Returns the text of a header, or of its first value if the header occurs several times; undefined
 * if the header is absent or null.
 */
export function headerText(headers: RecordHeaders, name: string): string | undefined {
  return firstValue(headers[name])?.toString();
}

/** Whether a header is present and its value is null. */
export function isNullHeader(headers: RecordHeaders, name: string): boolean {
  return firstValue(headers[name]) === null;
}

function firstValue(header: RecordHeaders[string]): HeaderValue | undefined {
  return Array.isArray(header) ? header[0] : (header as HeaderValue | undefined);
}

/**
 * Returns the whole number in a header; undefined if the header is absent, null or not a whole
 * number.
 */
export function headerNumber(headers: RecordHeaders, name: string): number | undefined {
  const number = Number(headerText(headers, name) ?? Number.NaN);
  return Number.isSafeInteger(number) ? number : undefined;
}
