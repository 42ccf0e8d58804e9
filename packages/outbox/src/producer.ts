import { type KafkaConnection, LONGEST_RETRY_MS } from '@gudang/kafka';
import { createBackoff, pause, settledOrAborted } from '@gudang/runtime';
import { Partitioners, type Producer } from 'kafkajs';

/**
 * A connected producer, for as long as that takes.
 * Not idempotent: after a lost acknowledgement kafkajs may let the broker swallow the next batch
 * as a repeat. Repeats are known by whoever reads.
 */
export async function createProducer(
  kafka: KafkaConnection,
  signal: AbortSignal,
): Promise<Producer> {
  await settledOrAborted(kafka.ready, signal);
  const producer = kafka.client.producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    idempotent: false,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    retry: { retries: 3, initialRetryTime: 100, maxRetryTime: LONGEST_RETRY_MS },
  });
  const backoff = createBackoff(200, LONGEST_RETRY_MS);
  for (;;) {
    signal.throwIfAborted();
    try {
      await producer.connect();
      return producer;
    } catch (error) {
      kafka.failed(error);
      await pause(backoff.next(), signal);
    }
  }
}
