import { randomUUID } from 'node:crypto';
import { type KafkaRecord, protocolErrors, toRecords } from '@gudang/kafka';
import type { Admin, Kafka } from 'kafkajs';
import { MoveInError } from '../cli.ts';
import { type DecodedRecord, decodeRecord } from './decode-record.ts';

/** A record of the topic of orders. */
export interface LegacyRecord extends DecodedRecord {
  /** Whether the legacy stock service has committed an offset after this record. */
  readonly isConsumed: boolean;
}

/** A topic with the offsets of the legacy stock service. */
export interface LegacyTopic {
  readonly records: readonly LegacyRecord[];
  /** Whether the broker has deleted records at the beginning of a partition. */
  readonly isTruncated: boolean;
  /** Partitions with records for which the group has committed no offset. */
  readonly uncommitted: readonly number[];
}

interface Partition {
  readonly partition: number;
  readonly low: number;
  readonly high: number;
  /** The committed offset; undefined if there is none. */
  readonly committed: number | undefined;
}

/** Time-out of reading without a new record, in milliseconds. */
const STALLED_MS = 15_000;

/**
 * Reads the topic of orders to its end, with the offsets that the group has committed.
 * @param options.isRehearsal whether the legacy stock service may be running
 * @throws {MoveInError} if the topic or the group does not exist, or if the group is running and must not
 */
export async function readLegacyTopic(
  client: Kafka,
  { topic, group, isRehearsal }: { topic: string; group: string; isRehearsal: boolean },
): Promise<LegacyTopic> {
  const admin = client.admin();
  await admin.connect();
  try {
    const partitions = await readPartitions(admin, topic, group);
    if (!isRehearsal) await assertStopped(admin, group, 'the legacy stock service');
    const filled = partitions.filter(({ low, high }) => high > low);
    if (filled.length > 0 && filled.every(({ committed }) => committed === undefined)) {
      throw new MoveInError(
        `The group ${group} has committed no offset of ${topic}. Check --group; the groups are ` +
          `${(await admin.listGroups()).groups.map(({ groupId }) => groupId).join(', ')}. If the ` +
          'offsets have expired, set them again with kafka-consumer-groups --reset-offsets',
      );
    }
    const records = await readRecords(client, topic, filled);
    const committed = new Map(filled.map((one) => [one.partition, one.committed ?? 0]));
    if (!isRehearsal) await assertUnchanged(admin, { topic, group, partitions });
    return {
      records: records.map((record) => ({
        ...record,
        isConsumed: record.offset < (committed.get(record.partition) ?? 0),
      })),
      isTruncated: partitions.some(({ low }) => low > 0),
      uncommitted: filled
        .filter((one) => one.committed === undefined)
        .map(({ partition }) => partition),
    };
  } finally {
    await admin.disconnect();
  }
}

/** @throws {MoveInError} if a consumer group has members */
export async function assertStopped(admin: Admin, group: string, service: string): Promise<void> {
  const { groups } = await admin.describeGroups([group]);
  const members = groups.flatMap((one) => one.members);
  if (members.length === 0) return;
  throw new MoveInError(
    `The group ${group} has ${members.length} running consumers: stop ${service} and try again. ` +
      'After a crash, a consumer counts as running for up to a minute',
  );
}

/** @throws {MoveInError} if the group has committed an offset since `partitions` was read */
async function assertUnchanged(
  admin: Admin,
  { topic, group, partitions }: { topic: string; group: string; partitions: readonly Partition[] },
): Promise<void> {
  const before = new Map(partitions.map(({ partition, committed }) => [partition, committed]));
  const now = await readPartitions(admin, topic, group);
  if (now.every(({ partition, committed }) => before.get(partition) === committed)) return;
  throw new MoveInError(
    `The group ${group} has committed offsets meanwhile: stop the legacy stock service`,
  );
}

async function readPartitions(admin: Admin, topic: string, group: string): Promise<Partition[]> {
  // kafkajs would retry a request for the offsets of a missing topic for seconds.
  await admin.fetchTopicMetadata({ topics: [topic] }).catch((error: unknown) => {
    if (!protocolErrors(error).includes('UNKNOWN_TOPIC_OR_PARTITION')) throw error;
    throw new MoveInError(`Kafka has no topic ${topic}. Check --topic and --kafka`);
  });
  const bounds = await admin.fetchTopicOffsets(topic);
  const [offsets] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
  const committed = new Map(
    offsets?.partitions.map(({ partition, offset }) => [partition, Number(offset)]),
  );
  return bounds.map(({ partition, low, high }) => {
    const offset = committed.get(partition) ?? -1;
    return {
      partition,
      low: Number(low),
      high: Number(high),
      committed: offset < 0 ? undefined : offset,
    };
  });
}

/** Reads partitions from their first to their last record, with a group that is deleted afterwards. */
async function readRecords(
  client: Kafka,
  topic: string,
  partitions: readonly Partition[],
): Promise<readonly DecodedRecord[]> {
  if (partitions.length === 0) return [];
  const groupId = `gudang-move-in-${randomUUID()}`;
  const reading = new TopicReading(partitions);
  const consumer = client.consumer({
    groupId,
    allowAutoTopicCreation: false,
    maxWaitTimeInMs: 500,
  });
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (!payload.restart) reading.fail(payload.error);
    });
    const run = consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) =>
        reading.take(batch.partition, toRecords(batch, batch.messages), Number(batch.lastOffset())),
    });
    run.catch((error: unknown) => reading.fail(error));
    await reading.done;
  } finally {
    await consumer.disconnect();
    const admin = client.admin();
    await admin.connect();
    // An error is ignored, because an empty group does no harm.
    await admin.deleteGroups([groupId]).catch(() => {});
    await admin.disconnect();
  }
  return reading.records;
}

/** The progress of reading a topic. A consumer that rejoins its group may deliver records again. */
class TopicReading {
  readonly records: DecodedRecord[] = [];
  readonly done: Promise<void>;
  /** The next offset, and the end, of each partition that is not read completely. */
  readonly #open: Map<number, { next: number; readonly end: number }>;
  #resolve: () => void = () => {};
  #reject: (error: unknown) => void = () => {};
  #timer: NodeJS.Timeout | undefined;

  constructor(partitions: readonly Partition[]) {
    this.#open = new Map(
      partitions.map(({ partition, low, high }) => [partition, { next: low, end: high }]),
    );
    const read = new Promise<void>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.done = read.finally(() => clearTimeout(this.#timer));
    this.#wait();
  }

  take(partition: number, records: readonly KafkaRecord[], lastOffset: number): void {
    const open = this.#open.get(partition);
    if (open === undefined) return;
    for (const record of records) {
      const offset = Number(record.offset);
      if (offset >= open.next && offset < open.end) this.records.push(decodeRecord(record));
    }
    open.next = Math.max(open.next, lastOffset + 1);
    if (open.next >= open.end) this.#open.delete(partition);
    this.#wait();
    if (this.#open.size === 0) this.#resolve();
  }

  fail(error: unknown): void {
    this.#reject(error);
  }

  #wait(): void {
    clearTimeout(this.#timer);
    const stalled = () =>
      new MoveInError(
        `Kafka sends no records of the partitions ${[...this.#open.keys()].join(', ')}, although ` +
          'they are not read to their end. Try again',
      );
    this.#timer = setTimeout(() => this.fail(stalled()), STALLED_MS);
  }
}
