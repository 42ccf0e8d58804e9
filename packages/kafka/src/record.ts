import type { KafkaMessage } from 'kafkajs';

/**
 * The value of a header. Kafka distinguishes a null value from an empty value; kafkajs's types omit
 * null.
 */
export type HeaderValue = Buffer | string | null;

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
}

export function toRecord(topic: string, partition: number, message: KafkaMessage): KafkaRecord {
  return {
    topic,
    partition,
    offset: message.offset,
    timestamp: message.timestamp,
    key: message.key,
    value: message.value,
    headers: message.headers ?? {},
  };
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
