import { decodeOrderCreated, type OrderCreated } from '@gudang/events';
import type { KafkaRecord } from '@gudang/kafka';

/** A record of the topic of orders. It holds none of the record's bytes, because a topic may be large. */
export interface DecodedRecord {
  readonly partition: number;
  readonly offset: number;
  /** Time of the record, in milliseconds since 1970. */
  readonly timestamp: number;
  /** The order, with the time in the record's value; or why the record contains no order. */
  readonly order: (OrderCreated & { readonly createdAt: Date }) | string;
}

export function decodeRecord(record: KafkaRecord): DecodedRecord {
  return {
    partition: record.partition,
    offset: Number(record.offset),
    timestamp: Number(record.timestamp),
    order: decodeOrder(record),
  };
}

function decodeOrder({ value, damage, timestamp }: KafkaRecord): DecodedRecord['order'] {
  if (damage) return damage.reason;
  const decoded = decodeOrderCreated(value);
  if (!decoded.ok) return decoded.reason;
  const fields = JSON.parse(String(value)) as { timestamp?: string; TimeStamp?: string };
  const createdAt = new Date(fields.timestamp ?? fields.TimeStamp ?? Number(timestamp));
  return { ...decoded.message, createdAt };
}
