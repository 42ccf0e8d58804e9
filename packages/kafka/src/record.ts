import type { IHeaders, KafkaMessage } from 'kafkajs';

/** A record as it was read. */
export interface KafkaRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  /** Milliseconds since 1970, as text. */
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: IHeaders;
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

/** A header's text; of one that is there twice, the first. */
export function headerText(headers: IHeaders, name: string): string | undefined {
  const header = headers[name];
  const first = Array.isArray(header) ? header[0] : header;
  return first === undefined ? undefined : first.toString();
}

/** A header's whole number, or undefined when it is absent or no number. */
export function headerNumber(headers: IHeaders, name: string): number | undefined {
  const number = Number(headerText(headers, name) ?? Number.NaN);
  return Number.isSafeInteger(number) ? number : undefined;
}
