import type { KafkaConnection } from '../kafka-connection.ts';
import { readTopic } from '../read-topic.ts';
import type { KafkaRecord } from '../record.ts';

/** Reads every record of a one-partition topic. */
export async function recordsOf(kafka: KafkaConnection, topic: string): Promise<KafkaRecord[]> {
  const records: KafkaRecord[] = [];
  await readTopic(kafka.client, kafka.name(topic), {
    from: 0,
    take: (read) => {
      records.push(...read);
      return true;
    },
  });
  return records;
}
