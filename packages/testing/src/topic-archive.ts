import { randomUUID } from 'node:crypto';
import { ORDER_CHANGED, SHARED_TOPICS, STOCK_CHANGED } from '@gudang/events';
import { type KafkaRecord, toRecords } from '@gudang/kafka';
import { deadLetterTopic } from '@gudang/messages';
import type { Admin, Kafka } from 'kafkajs';
import { eventually } from './eventually.ts';

const TOPICS = [
  ...SHARED_TOPICS.flatMap((topic) => [topic, deadLetterTopic(topic)]),
  ORDER_CHANGED,
  STOCK_CHANGED,
];
const READ_WITHIN_MS = 30_000;

export interface TopicRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
  /** Whether the broker has lost the record since. A later record may have the same offset. */
  readonly isLost?: boolean;
}

/** The Kafka of a system, and the names of the system's topics. */
export interface TopicSource {
  /** Only a client of `createKafkaClient` decodes the records of all producers. */
  readonly client: Pick<Kafka, 'consumer'>;
  readonly admin: Pick<Admin, 'fetchTopicOffsets'>;
  /** Adds the system's topic prefix. */
  readonly name: (topic: string) => string;
  /** Removes the system's topic prefix. */
  readonly bare: (topic: string) => string;
}

export type Records = Record<string, TopicRecord[]>;

/**
 * Reads all records of all topics from the beginning; later calls continue where the last one
 * ended.
 */
export function createTopicArchive(rig: TopicSource) {
  const records: Records = Object.fromEntries(TOPICS.map((topic) => [topic, []]));
  /** Next offset to read, by `<topic> <partition>`. */
  const next = new Map<string, number>();

  const readUntil = async (ends: ReadonlyMap<string, number>): Promise<void> => {
    const consumer = rig.client.consumer({
      groupId: rig.name(`chaos-${randomUUID()}`),
      maxWaitTimeInMs: 50,
    });
    const isRead = (): boolean =>
      [...ends].every(([partition, end]) => (next.get(partition) ?? 0) >= end);
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: TOPICS.map(rig.name), fromBeginning: true });
      consumer.on(consumer.events.GROUP_JOIN, () => {
        for (const key of ends.keys()) {
          const [topic, partition] = key.split(' ');
          const offset = String(next.get(key) ?? 0);
          consumer.seek({ topic: String(topic), partition: Number(partition), offset });
        }
      });
      await consumer.run({
        autoCommit: false,
        eachBatch: async ({ batch }) => {
          const key = `${batch.topic} ${batch.partition}`;
          for (const record of toRecords(batch, batch.messages)) {
            if (Number(record.offset) < (next.get(key) ?? 0)) continue;
            records[rig.bare(batch.topic)]?.push(archived(record));
          }
          next.set(key, Math.max(next.get(key) ?? 0, Number(batch.lastOffset()) + 1));
        },
      });
      await eventually(isRead, (read) => read, {
        until: 'all topics are read to their end offsets',
        within: READ_WITHIN_MS,
      });
    } finally {
      await consumer.disconnect();
    }
  };

  return {
    /**
     * Notes that the broker has lost all records of a partition from an offset on.
     * @param written the partition's records before the loss, of which the archive may not have read
     *   the last ones
     */
    lose: (
      { topic, partition }: Pick<TopicRecord, 'topic' | 'partition'>,
      from: number,
      written: readonly KafkaRecord[],
    ): void => {
      const key = `${topic} ${partition}`;
      const found = records[rig.bare(topic)] ?? [];
      const unread = written.filter(({ offset }) => Number(offset) >= (next.get(key) ?? 0));
      found.push(...unread.map(archived));
      for (const [index, record] of found.entries()) {
        if (record.partition !== partition || Number(record.offset) < from) continue;
        found[index] = { ...record, isLost: true };
      }
      next.set(key, from);
    },
    /** Reads to the topics' current end offsets. */
    catchUp: async (): Promise<Readonly<Records>> => {
      const ends = new Map<string, number>();
      for (const topic of TOPICS.map(rig.name)) {
        for (const { partition, high } of await rig.admin.fetchTopicOffsets(topic)) {
          ends.set(`${topic} ${partition}`, Number(high));
        }
      }
      await readUntil(ends);
      return records;
    },
  };
}

function archived({ timestamp, headers, ...record }: KafkaRecord): TopicRecord {
  const texts = Object.entries(headers).map(([name, value]) => [name, String(value)]);
  return { ...record, timestamp: Number(timestamp), headers: Object.fromEntries(texts) };
}

export type TopicArchive = ReturnType<typeof createTopicArchive>;
