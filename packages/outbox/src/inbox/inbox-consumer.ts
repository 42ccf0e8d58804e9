import { headerText, type KafkaConnection, type KafkaRecord, startConsumer } from '@gudang/kafka';
import { type Decoded, HEADER } from '@gudang/messages';
import type { Service, Stoppable } from '@gudang/runtime';
import { parseTraceparent, type Span, startSpan, traceId } from '@gudang/runtime/tracing';
import { type Apply, applyBatch, type InboxMessage } from './apply-batch.ts';
import type { DeadLetter } from './dead-letters.ts';

/**
 * Maximum number of dead letters of a batch that are logged individually. The limit prevents a
 * defective producer from filling the disk.
 */
const LOGGED_LETTERS = 10;

/** The entity that a message concerns, for log lines and traces. */
export interface Subject<T> {
  /** Name of the field in log lines, such as `paymentId`. */
  readonly logField: string;
  /** Name of the attribute of spans, such as `shop.payment_id`. */
  readonly attribute: string;
  readonly idOf: (message: T) => string;
}

/**
 * Consumes a topic into a database. Each record is applied, recognized as a duplicate, or
 * dead-lettered. `apply` is called again with the same messages until it succeeds.
 */
export function startInboxConsumer<T>(
  service: Pick<Service, 'log' | 'health'>,
  {
    kafka,
    topic,
    group,
    part,
    decode,
    subject,
    apply,
  }: {
    kafka: KafkaConnection;
    topic: string;
    group: string;
    /** Name of the consumer in `/readyz`. Default: `consumer`. */
    part?: string | undefined;
    decode: (value: Uint8Array | null) => Decoded<T>;
    subject: Subject<T>;
    apply: Apply<T>;
  },
): Stoppable {
  const { log } = service;
  /** Log fields of the records of the current batch. */
  const fields = new WeakMap<KafkaRecord, Readonly<Record<string, unknown>>>();
  const logFields = (record: KafkaRecord) => fields.get(record) ?? {};

  /**
   * Decodes a record. If decoding throws, the record is treated as unreadable, so that it does not
   * block its partition.
   */
  const read = (record: KafkaRecord): Decoded<InboxMessage<T>> => {
    const { partition, offset, damage } = record;
    if (damage) {
      fields.set(record, { topic, partition, offset, firstOffset: damage.firstOffset });
      return { ok: false, reason: damage.reason };
    }
    try {
      const cause = parseTraceparent(headerText(record.headers, HEADER.traceparent));
      const place = { topic, partition, offset, trace_id: traceId(cause) };
      fields.set(record, place);
      const decoded = decode(record.value);
      if (!decoded.ok) return decoded;
      const { message } = decoded;
      fields.set(record, { ...place, [subject.logField]: subject.idOf(message) });
      return { ok: true, message: { message, record, traceparent: cause } };
    } catch (error) {
      return { ok: false, reason: `decoding failed: ${error}` };
    }
  };

  const logDeadLetters = (letters: readonly DeadLetter[]): void => {
    for (const { record, reason } of letters.slice(0, LOGGED_LETTERS)) {
      log.warn({ ...logFields(record), reason }, 'a record was dead-lettered');
    }
    const more = letters.length - LOGGED_LETTERS;
    if (more > 0) log.warn({ topic, count: more }, 'more records were dead-lettered');
  };

  const handle = async (records: readonly KafkaRecord[]): Promise<void> => {
    const messages: InboxMessage<T>[] = [];
    const unreadable: DeadLetter[] = [];
    const spans: Span[] = [];
    for (const record of records) {
      const decoded = read(record);
      if (!decoded.ok) {
        unreadable.push({ record, reason: decoded.reason });
        continue;
      }
      const { message } = decoded;
      const span = startSpan(`consume ${topic}`, {
        kind: 'consumer',
        parent: message.traceparent,
        attributes: {
          'messaging.system': 'kafka',
          [subject.attribute]: subject.idOf(message.message),
        },
      });
      if (span) spans.push(span);
      messages.push(span ? { ...message, traceparent: span.traceparent } : message);
    }
    let failure: unknown;
    try {
      await applyBatch({ topic, messages, unreadable, apply, onDeadLetters: logDeadLetters });
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      for (const span of spans) span.end(failure);
    }
    if (!log.isLevelEnabled('debug')) return;
    for (const { record, traceparent } of messages) {
      log.debug({ ...logFields(record), trace_id: traceId(traceparent) }, 'a record was applied');
    }
  };

  return startConsumer(service, { kafka, topic, group, part, handle, logFields });
}
