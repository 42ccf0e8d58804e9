import type { KafkaConnection } from '@gudang/kafka';
import { headerText, type KafkaRecord, measureLag, startConsumer } from '@gudang/kafka';
import { type Decoded, HEADER } from '@gudang/messages';
import type { Service, Stoppable } from '@gudang/runtime';
import type { Span } from '@gudang/runtime/tracing';
import { parseTraceparent, startSpan, traceId } from '@gudang/runtime/tracing';
import type { DeadLetter } from '../write-events.ts';
import { applyBatch, type Readable } from './apply-batch.ts';

/** The most dead letters of a batch that get a line each: a broken producer is to fill no disk. */
const TOLD_LIMIT = 10;

/**
 * Consumes a topic into a database: each record is applied, known as a repeat, or dead-lettered.
 * `apply` does so in one transaction, in which it also writes the dead letters that it is handed
 * and those that it finds, and resolves with all of them; it is called again with the same records
 * until it succeeds.
 */
export function startInboxConsumer<T>(
  service: Pick<Service, 'name' | 'log' | 'health' | 'metrics'>,
  {
    kafka,
    topic,
    decode,
    orderOf,
    apply,
  }: {
    kafka: KafkaConnection;
    topic: string;
    decode: (value: Uint8Array | null) => Decoded<T>;
    /** The id of the order that a message is about: traces and log lines name it. */
    orderOf: (message: T) => string;
    apply: (
      batch: readonly Readable<T>[],
      letters: readonly DeadLetter[],
    ) => Promise<readonly DeadLetter[]>;
  },
): Stoppable {
  /** A record that our own code fails on is unreadable, not a reason to block its partition. */
  const decodeSafely: typeof decode = (value) => {
    try {
      const decoded = decode(value);
      if (decoded.ok) orderOf(decoded.message);
      return decoded;
    } catch (error) {
      return { ok: false, reason: `decoding failed: ${error}` };
    }
  };
  /** The order and the trace of a record, as far as they can be read. */
  const named = (record: KafkaRecord): Record<string, unknown> => {
    const decoded = decodeSafely(record.value);
    return {
      topic,
      partition: record.partition,
      offset: record.offset,
      orderId: decoded.ok ? orderOf(decoded.message) : undefined,
      trace_id: traceId(parseTraceparent(headerText(record.headers, HEADER.traceparent))),
    };
  };
  const applyAndTell: typeof apply = async (batch, given) => {
    const letters = await apply(batch, given);
    for (const { record, reason } of letters.slice(0, TOLD_LIMIT)) {
      service.log.warn({ ...named(record), reason }, 'a record went to the dead letters');
    }
    const untold = letters.length - TOLD_LIMIT;
    if (untold > 0) service.log.warn({ topic }, `${untold} more went to the dead letters`);
    return letters;
  };
  const handle = async (records: readonly KafkaRecord[]): Promise<void> => {
    const readable: Readable<T>[] = [];
    const letters: DeadLetter[] = [];
    const spans: Span[] = [];
    for (const record of records) {
      const decoded = decodeSafely(record.value);
      if (decoded.ok) {
        const { message } = decoded;
        const parent = parseTraceparent(headerText(record.headers, HEADER.traceparent));
        const span = startSpan(`consume ${topic}`, {
          kind: 'consumer',
          parent,
          attributes: { 'messaging.system': 'kafka', 'gudang.order_id': orderOf(message) },
        });
        if (span) spans.push(span);
        readable.push({ message, record, traceparent: span?.traceparent ?? parent });
      } else letters.push({ record, reason: decoded.reason });
    }
    let failure: unknown;
    try {
      await applyBatch({ batch: readable, letters, apply: applyAndTell });
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      for (const span of spans) span.end(failure);
    }
    if (!service.log.isLevelEnabled('debug')) return;
    for (const { message, traceparent } of readable) {
      service.log.debug(
        { topic, orderId: orderOf(message), trace_id: traceId(traceparent) },
        'applied',
      );
    }
  };
  const place = { kafka, topic, group: service.name };
  const lag = measureLag(service, place);
  const consumer = startConsumer(service, { ...place, handle, named });
  return {
    stop: async () => {
      await consumer.stop();
      await lag.stop();
    },
  };
}
