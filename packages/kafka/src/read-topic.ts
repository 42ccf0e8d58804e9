import { randomUUID } from 'node:crypto';
import type { Kafka } from 'kafkajs';
import { type KafkaRecord, toRecord } from './record.ts';

/** For how long a broker that goes away while it is read is tried again, in milliseconds. */
const PATIENCE_MS = 10_000;

export interface TopicBounds {
  /** The first offset that is still there. */
  readonly low: number;
  /** The offset that the next record will get. */
  readonly high: number;
}

/** Where a one-partition topic begins and ends; it rejects when there is no such topic. */
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
 * Reads a one-partition topic from an offset to its present end, in a group that is gone
 * afterwards. It rejects when the broker goes away.
 * @param take returns false to stop before the end
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
  const giveUpAt = Date.now() + PATIENCE_MS;
  const consumer = client.consumer({
    groupId,
    allowAutoTopicCreation: false,
    maxWaitTimeInMs: 500,
    // A broker that has just started refuses groups for a moment.
    retry: { retries: 3, restartOnFailure: async () => Date.now() < giveUpAt },
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
      // Batches that hold nothing but control records come here too, and nowhere else.
      consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
        if (Number(payload.lastOffset) >= high - 1) resolve();
      });
      const eachBatch: Parameters<typeof consumer.run>[0] = {
        autoCommit: false,
        eachBatch: async ({ batch }) => {
          const records = batch.messages
            .filter(({ offset }) => Number(offset) >= start && Number(offset) < high)
            .map((message) => toRecord(topic, batch.partition, message));
          if (records.length > 0 && !take(records)) resolve();
        },
      };
      consumer.run(eachBatch).catch(reject);
    });
  } finally {
    await consumer.disconnect();
    await deleteGroup(client, groupId);
  }
}

/** Without it the broker would forget the empty group by itself, but only after a week. */
async function deleteGroup(client: Kafka, groupId: string): Promise<void> {
  const admin = client.admin();
  try {
    await admin.connect();
    await admin.deleteGroups([groupId]);
  } catch {
    // It has left nothing that matters.
  } finally {
    await admin.disconnect();
  }
}
