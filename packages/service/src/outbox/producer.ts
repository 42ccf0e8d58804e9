import { Partitioners, type Producer } from 'kafkajs';
import { createBackoff, pause, settledOrAborted } from '../backoff.ts';
import { LONGEST_RETRY_MS } from '../kafka/kafka-client.ts';
import type { KafkaConnection } from '../kafka/kafka-connection.ts';

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
