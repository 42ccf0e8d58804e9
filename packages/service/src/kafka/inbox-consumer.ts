import type { Decoded } from '@gudang/events';
import type { Stoppable } from '../lifecycle.ts';
import type { DeadLetter } from '../outbox/write-events.ts';
import type { Service } from '../service.ts';
import { applyBatch, type Readable } from './apply-batch.ts';
import { startConsumer } from './consumer.ts';
import type { KafkaConnection } from './kafka-connection.ts';
import type { KafkaRecord } from './record.ts';

/**
 * Consumes a topic into a database: each record is applied, known as a repeat, or dead-lettered.
 * `apply` does so in one transaction, in which it also writes the dead letters that it is handed
 * and those that it finds; it is called again with the same records until it succeeds.
 */
export function startInboxConsumer<T>(
  service: Pick<Service, 'name' | 'log' | 'fail' | 'metrics'>,
  {
    kafka,
    topic,
    decode,
    apply,
  }: {
    kafka: KafkaConnection;
    topic: string;
    decode: (value: Uint8Array | null) => Decoded<T>;
    apply: (batch: readonly Readable<T>[], letters: readonly DeadLetter[]) => Promise<void>;
  },
): Stoppable {
  const lag = service.metrics.gauge(
    'gudang_consumer_lag_records',
    'Records of a partition that wait to be consumed by this process',
    ['topic', 'partition'],
  );
  const handle = async (records: readonly KafkaRecord[]): Promise<void> => {
    const readable: Readable<T>[] = [];
    const letters: DeadLetter[] = [];
    for (const record of records) {
      const decoded = decode(record.value);
      if (decoded.ok) readable.push({ message: decoded.message, record });
      else letters.push({ record, reason: decoded.reason });
    }
    await applyBatch({ batch: readable, letters, apply });
  };
  return startConsumer(service, {
    kafka,
    topic,
    group: service.name,
    handle,
    lag: {
      set: (partition, records) => lag.set({ topic, partition: String(partition) }, records),
      reset: () => lag.reset(),
    },
  });
}
