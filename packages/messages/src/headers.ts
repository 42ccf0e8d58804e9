/** CloudEvents 1.0, Kafka binding in binary mode, and what our own readers need beside it. */
export const HEADER = {
  id: 'ce_id',
  source: 'ce_source',
  type: 'ce_type',
  specVersion: 'ce_specversion',
  time: 'ce_time',
  traceparent: 'traceparent',
  /** The state's version: what is not newer than one already seen is dropped unread. */
  version: 'gudang_version',
  /** Grows with each relay that takes over: a late batch of a replaced one is known by it. */
  term: 'gudang_term',
  /** Changes when the topic is new or the database was restored. */
  epoch: 'gudang_epoch',
  /** The row of the outbox that this record was. */
  outboxId: 'gudang_outbox_id',
  /** Of a dead letter: where it came from, and why it is here. */
  originTopic: 'gudang_origin_topic',
  originPartition: 'gudang_origin_partition',
  originOffset: 'gudang_origin_offset',
  originTimestamp: 'gudang_origin_timestamp',
  reason: 'gudang_reason',
} as const;

/** Returns the CloudEvents type of a topic's records: `order_created` is `gudang.order.created`. */
export function eventType(topic: string): string {
  return `gudang.${topic.replaceAll('_', '.')}`;
}
