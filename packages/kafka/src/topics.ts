import { deadLetterTopic } from '@gudang/messages';
import { StartError } from '@gudang/runtime';
import type { Kafka } from 'kafkajs';

export interface TopicSpec {
  readonly topic: string;
  readonly partitions: number;
  /** Whether the topic's offsets serve as cursors, which requires exactly one partition. */
  readonly totalOrder?: boolean;
  /** Topic settings that differ from the broker's defaults. */
  readonly config?: Readonly<Record<string, string>>;
}

/**
 * Creates the missing topics. Several processes may do so at once.
 * @throws {StartError} if a topic that must have one partition has more
 */
export async function ensureTopics(
  client: Kafka,
  specs: readonly TopicSpec[],
  replication: number,
): Promise<void> {
  const admin = client.admin();
  await admin.connect();
  try {
    const present = new Set(await admin.listTopics());
    const missing = specs.filter((spec) => !present.has(spec.topic));
    if (missing.length > 0) {
      await admin.createTopics({
        waitForLeaders: true,
        topics: missing.map(({ topic, partitions, config = {} }) => ({
          topic,
          numPartitions: partitions,
          replicationFactor: replication,
          configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
        })),
      });
    }
    const ordered = specs.filter((spec) => spec.totalOrder).map((spec) => spec.topic);
    if (ordered.length === 0) return;
    const { topics } = await admin.fetchTopicMetadata({ topics: ordered });
    for (const { name, partitions } of topics) {
      if (partitions.length === 1) continue;
      throw new StartError(
        `The topic ${name} has ${partitions.length} partitions and must have 1: its offsets are ` +
          'cursors. Delete it, or set KAFKA_TOPIC_PREFIX to use other topics',
      );
    }
  } finally {
    await admin.disconnect();
  }
}

/**
 * Settings of dead-letter topics. Dead letters are kept until an operator handles them. The size
 * limit, in bytes, exceeds the broker's default of 1 MiB, because a dead letter has more headers
 * than its original record. The broker syncs each dead letter to the disk, because nothing sends a
 * dead letter again that the broker has acknowledged and then lost.
 */
const DEAD_LETTER_CONFIG = {
  'retention.ms': '-1',
  'max.message.bytes': String(4 * 1024 * 1024),
  'flush.messages': '1',
};

/** Returns a consumed topic and its dead-letter topic. */
export function withDeadLetters(spec: TopicSpec): TopicSpec[] {
  const letters = { topic: deadLetterTopic(spec.topic), partitions: 1, config: DEAD_LETTER_CONFIG };
  return [spec, letters];
}

/**
 * Returns the topics of one service.
 * @param shared topics that several services use; each of them gets a dead-letter topic
 * @param changes the topic of the service's own changes
 * @param partitions number of partitions of each shared topic
 */
export function serviceTopics({
  shared,
  changes,
  partitions,
}: {
  readonly shared: readonly string[];
  readonly changes: string;
  readonly partitions: number;
}): readonly TopicSpec[] {
  return [
    ...shared.flatMap((topic) => withDeadLetters({ topic, partitions })),
    { topic: changes, partitions: 1, totalOrder: true },
  ];
}
