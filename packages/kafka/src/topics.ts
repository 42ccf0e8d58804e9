import { ORDER_CREATED, ORDER_DECIDED } from '@gudang/events';
import { deadLetterTopic } from '@gudang/messages';
import { StartError } from '@gudang/runtime';
import type { SettingsOf } from '@gudang/runtime/settings';
import type { Kafka } from 'kafkajs';
import type { kafkaSettings } from './settings.ts';

export interface TopicSpec {
  readonly topic: string;
  readonly partitions: number;
  /** The topic's offsets serve as cursors, so it may never have more partitions than one. */
  readonly totalOrder?: boolean;
  /** The broker's settings of the topic where they are to differ from its usual ones. */
  readonly config?: Readonly<Record<string, string>>;
}

/**
 * Creates the topics that are missing; several processes may do so at once.
 * @throws {StartError} when a topic that must have one partition has more
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
          'cursors. Delete it, or set KAFKA_TOPIC_PREFIX to begin beside it',
      );
    }
  } finally {
    await admin.disconnect();
  }
}

/**
 * Dead letters wait for people, not for a week; and one is larger than its record, by the headers
 * that tell where it came from (bytes; brokers take records of 1 MiB unless told otherwise).
 */
const DEAD_LETTER_CONFIG = { 'retention.ms': '-1', 'max.message.bytes': String(4 * 1024 * 1024) };

/** A topic that is consumed record by record, and the one for what of it cannot be applied. */
export function withDeadLetters(spec: TopicSpec): TopicSpec[] {
  const letters = { topic: deadLetterTopic(spec.topic), partitions: 1, config: DEAD_LETTER_CONFIG };
  return [spec, letters];
}

/**
 * The topics of a subgraph: those between the two, which whichever starts first creates, and the
 * one of its own changes.
 */
export function topicsOf(
  { KAFKA_PARTITIONS: partitions }: Pick<SettingsOf<typeof kafkaSettings>, 'KAFKA_PARTITIONS'>,
  changeTopic: string,
): readonly TopicSpec[] {
  return [
    ...withDeadLetters({ topic: ORDER_CREATED, partitions }),
    ...withDeadLetters({ topic: ORDER_DECIDED, partitions }),
    { topic: changeTopic, partitions: 1, totalOrder: true },
  ];
}
