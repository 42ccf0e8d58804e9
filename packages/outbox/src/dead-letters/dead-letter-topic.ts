import type { KafkaRecord } from '@gudang/kafka';
import { protocolErrors, readTopic } from '@gudang/kafka';
import { deadLetterTopic, HEADER, originalTopic } from '@gudang/messages';
import { type IHeaders, type Kafka, Partitioners, type Producer } from 'kafkajs';
import { type DeadLetterEntry, findUnhandled, type HandledAs } from './dead-letter.ts';

/**
 * Reads the unhandled dead letters of a topic. Returns an empty list if the topic has no
 * dead-letter topic.
 * @param topic the topic of the original records, with KAFKA_TOPIC_PREFIX
 */
export async function readDeadLetters(
  client: Kafka,
  topic: string,
): Promise<readonly DeadLetterEntry[]> {
  const letters = deadLetterTopic(topic);
  if (!(await topicExists(client, letters))) return [];
  const records: KafkaRecord[] = [];
  await readTopic(client, letters, {
    from: 0,
    take: (read) => {
      records.push(...read);
      return true;
    },
  });
  return findUnhandled(records);
}

/**
 * Returns whether a topic exists. The caller checks this first, because kafkajs would retry a
 * request for the offsets of a missing topic. The list of all topics is not used, because it omits
 * topics that this user is not allowed to read.
 */
async function topicExists(client: Kafka, topic: string): Promise<boolean> {
  const admin = client.admin();
  await admin.connect();
  try {
    await admin.fetchTopicMetadata({ topics: [topic] });
    return true;
  } catch (error) {
    if (protocolErrors(error).includes('UNKNOWN_TOPIC_OR_PARTITION')) return false;
    throw error;
  } finally {
    await admin.disconnect();
  }
}

/**
 * Marks dead letters as handled. For a replay, each record is first sent to its original topic. If
 * the command is interrupted between these two steps, the dead letter is still listed. A second
 * replay is harmless, because consumers recognize it as a duplicate.
 */
export async function handleDeadLetters(
  client: Kafka,
  entries: readonly DeadLetterEntry[],
  as: HandledAs,
): Promise<void> {
  const producer = client.producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    allowAutoTopicCreation: false,
  });
  await producer.connect();
  try {
    for (const entry of entries) {
      if (as === 'replayed') await replay(producer, entry);
      await producer.send({
        topic: entry.record.topic,
        acks: -1,
        messages: entry.offsets.map((offset) => ({
          key: null,
          value: null,
          headers: { [HEADER.handledOffset]: offset, [HEADER.verdict]: as },
        })),
      });
    }
  } finally {
    await producer.disconnect();
  }
}

async function replay(producer: Producer, { record }: DeadLetterEntry): Promise<void> {
  const kept = Object.entries(record.headers).filter(
    ([name]) => name.startsWith('ce_') || name === 'traceparent',
  );
  await producer.send({
    topic: originalTopic(record.topic),
    acks: -1,
    messages: [
      { key: record.key, value: record.value, headers: Object.fromEntries(kept) as IHeaders },
    ],
  });
}
