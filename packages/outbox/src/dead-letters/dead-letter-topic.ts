import type { KafkaRecord } from '@gudang/kafka';
import { protocolErrors, readTopic } from '@gudang/kafka';
import { deadLetterTopic } from '@gudang/messages';
import { type IHeaders, type Kafka, Partitioners, type Producer } from 'kafkajs';
import { type DeadLetterEntry, HANDLED, type HandledAs, unhandled } from './dead-letter.ts';

/** @param topic the origin, with the system's prefix; one without dead letters has none */
export async function readDeadLetters(
  client: Kafka,
  topic: string,
): Promise<readonly DeadLetterEntry[]> {
  const letters = deadLetterTopic(topic);
  if (!(await isThere(client, letters))) return [];
  const records: KafkaRecord[] = [];
  await readTopic(client, letters, {
    from: 0,
    take: (read) => {
      records.push(...read);
      return true;
    },
  });
  return unhandled(records);
}

/**
 * kafkajs would ask for the offsets of a missing topic again and again. Not by the list of topics: of those that this
 * user may not read it holds none, as if there were no dead letters.
 */
async function isThere(client: Kafka, topic: string): Promise<boolean> {
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
 * Marks dead letters as handled; to be replayed, each is sent to its origin first. Cut off in
 * between, it is listed still, and a second replay is a repeat that whoever reads it knows.
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
          headers: { [HANDLED.offset]: offset, [HANDLED.verdict]: as },
        })),
      });
    }
  } finally {
    await producer.disconnect();
  }
}

async function replay(producer: Producer, { record, origin }: DeadLetterEntry): Promise<void> {
  const kept = Object.entries(record.headers).filter(
    ([name]) => name.startsWith('ce_') || name === 'traceparent',
  );
  await producer.send({
    topic: origin.topic,
    acks: -1,
    messages: [
      { key: record.key, value: record.value, headers: Object.fromEntries(kept) as IHeaders },
    ],
  });
}
