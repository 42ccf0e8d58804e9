import { randomUUID } from 'node:crypto';
import type { Kafka } from 'kafkajs';
import { type KafkaRecord, toRecords } from './record.ts';

/** Maximum time for which reading is retried while the broker is unavailable, in milliseconds. */
const RETRY_MS = 10_000;

export interface TopicBounds {
  /** The first retained offset. */
  readonly low: number;
  /** The offset that the next record will get. */
  readonly high: number;
}

/** Fetches the bounds of a one-partition topic. Rejects if the topic does not exist. */
export async function topicBounds(client: Kafka, topic: string): Promise<TopicBounds> {
  const admin = client.admin();
  await admin.connect();
  try {
    const [partition] = await admin.fetchTopicOffsets(topic);
    return { low: Number(partition?.low ?? 0), high: Number(partition?.high ?? 0) };
  } finally {
    await admin.disconnect();
  }
}

/**
 * Reads a one-partition topic from an offset to its current end. Uses a consumer group, which is
 * deleted afterwards. Rejects if the broker becomes unavailable.
 * @param take receives the records; returns false to stop before the end
 */
export async function readTopic(
  client: Kafka,
  topic: string,
  { from, take }: { from: number; take: (records: readonly KafkaRecord[]) => boolean },
): Promise<void> {
  const { low, high } = await topicBounds(client, topic);
  const start = Math.max(low, from);
  if (start >= high) return;
  const groupId = `${topic}-read-${randomUUID()}`;
  const deadline = Date.now() + RETRY_MS;
  const consumer = client.consumer({
    groupId,
    allowAutoTopicCreation: false,
    maxWaitTimeInMs: 500,
    // A broker that has just started refuses consumer groups for a short time.
    retry: { retries: 3, restartOnFailure: async () => Date.now() < deadline },
  });
  consumer.on(consumer.events.GROUP_JOIN, () => {
    consumer.seek({ topic, partition: 0, offset: String(start) });
  });
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => {
        if (!payload.restart) reject(payload.error);
      });
      const config: Parameters<typeof consumer.run>[0] = {
        autoCommit: false,
        eachBatch: async ({ batch }) => {
          const records = toRecords(batch, batch.messages).filter(
            ({ offset }) => Number(offset) >= start && Number(offset) < high,
          );
          if (records.length > 0 && !take(records)) resolve();
          if (Number(batch.lastOffset()) >= high - 1) resolve();
        },
      };
      consumer.run(config).catch(reject);
    });
  } finally {
    await consumer.disconnect();
    await deleteGroup(client, groupId);
  }
}

/** Deletes an empty group, which the broker would otherwise keep for a week. */
async function deleteGroup(client: Kafka, groupId: string): Promise<void> {
  const admin = client.admin();
  try {
    await admin.connect();
    await admin.deleteGroups([groupId]);
  } catch {
    // An error is ignored, because an empty group does no harm.
  } finally {
    await admin.disconnect();
  }
}
