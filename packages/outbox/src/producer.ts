import { type KafkaConnection, LONGEST_RETRY_MS } from '@gudang/kafka';
import { createBackoff, pause, settledOrAborted } from '@gudang/runtime';
import { Partitioners, type Producer } from 'kafkajs';

/**
 * Connects a producer, retrying until the signal is aborted. The producer is not idempotent: after
 * a lost acknowledgement, kafkajs may reuse the sequence number for the next batch, and the broker
 * would drop that batch as a duplicate. Consumers deduplicate instead.
 */
export async function connectProducer(
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
