/** Header names of CloudEvents 1.0 (Kafka binding, binary mode) and of this system. */
export const HEADER = {
  id: 'ce_id',
  source: 'ce_source',
  type: 'ce_type',
  specVersion: 'ce_specversion',
  time: 'ce_time',
  traceparent: 'traceparent',
  /** The version of the state. Consumers drop a version that they have already seen. */
  version: 'gudang_version',
  /**
   * The term of the relay. It increases with each new leader, so that consumers can drop the late
   * batch of a replaced relay.
   */
  term: 'gudang_term',
  /** The epoch. It changes when the topic is new or the database was restored. */
  epoch: 'gudang_epoch',
  /** The id of the record's row in the outbox. */
  outboxId: 'gudang_outbox_id',
  /** These headers of a dead letter describe the original record and the reason. */
  originTopic: 'gudang_origin_topic',
  originPartition: 'gudang_origin_partition',
  originOffset: 'gudang_origin_offset',
  /** Only the dead letter of a whole record batch has this header: the offset of its last record. */
  originLastOffset: 'gudang_origin_last_offset',
  originTimestamp: 'gudang_origin_timestamp',
  reason: 'gudang_reason',
  /**
   * These headers of a record in a dead-letter topic mark a dead letter as handled: the offset of
   * the dead letter, and the action that was taken.
   */
  handledOffset: 'gudang_handled',
  verdict: 'gudang_verdict',
} as const;
