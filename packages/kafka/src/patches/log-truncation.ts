import type { Batch } from 'kafkajs';
import { epochAt, type FetchedMessages } from '../fetch/fetched-messages.ts';
import { requireInternal } from './kafkajs-internals.ts';

/** A consumer's position in a partition. */
interface Position {
  /** The next offset to read. */
  readonly next: number;
  /** The leader's epoch of the last record before `next`. */
  readonly epoch: number;
}

interface Partition {
  readonly topic: string;
  readonly partition: number;
}

interface Broker {
  readonly connectionPool: { send(request: object): Promise<unknown> };
}

/** kafkajs's ConsumerGroup, with only the properties that are used here. */
interface ConsumerGroup {
  /** Identifies the consumer: all ConsumerGroup objects of a consumer share this object. */
  readonly cluster: {
    findBroker(node: { readonly nodeId: string }): Promise<Broker>;
    findTopicPartitionMetadata(
      topic: string,
    ): readonly { readonly partitionId: number; readonly leader: string }[];
  };
  readonly coordinator: {
    offsetFetch(request: object): Promise<{
      readonly responses: readonly {
        readonly partitions: readonly {
          readonly offset: string;
          readonly metadata: string | null;
        }[];
      }[];
    }>;
  };
  readonly groupId: string;
  readonly logger: { warn(message: string, extra: object): void };
  readonly offsetManager: { nextOffset(topic: string, partition: number): object };
  fetch(nodeId: string): Promise<readonly FetchedBatch[]>;
  seek(position: Partition & { readonly offset: string }): void;
  recoverFromFetch(error: unknown): Promise<void>;
  recoverFromOffsetOutOfRange(error: Partition): Promise<void>;
}

type FetchedBatch = Batch & {
  readonly fetchedOffset: string;
  readonly rawMessages: FetchedMessages;
};

/** Log message of a consumer that goes back because the broker lost records. */
export const RECORDS_LOST = 'The broker lost records that were already read; reading from there';

/**
 * Detects that a broker has lost the end of a partition, for example after a power failure. The
 * broker then assigns the lost offsets to new records. kafkajs 2.2.4 skips these records if their
 * number reaches its position before its next fetch; otherwise, it reads the whole partition again.
 * With this patch, the consumer continues at the first lost offset (KIP-320): after each change of
 * the leader's epoch, it asks the broker where the epoch of its last record ends.
 *
 * The epoch of a committed offset is stored as the offset's metadata; see `offsetMetadata`.
 */
export function patchLogTruncation(): void {
  const { prototype } = requireInternal<{ prototype: ConsumerGroup }>('consumer/consumerGroup');
  if (patched.has(prototype)) return;
  patched.add(prototype);
  const { fetch, recoverFromOffsetOutOfRange } = prototype;
  prototype.fetch = async function fetchAndCheck(nodeId) {
    const batches = await fetch.call(this, nodeId);
    const current: FetchedBatch[] = [];
    try {
      for (const batch of batches) if (await isCurrent(this, batch)) current.push(batch);
    } catch (error) {
      await this.recoverFromFetch(error);
      return [];
    }
    return current;
  };
  prototype.recoverFromOffsetOutOfRange = async function recoverAtEndOfEpoch(error) {
    const next = Number(this.offsetManager.nextOffset(error.topic, error.partition));
    const known = await positionAt(this, error, next);
    // Without a newer epoch, the topic was deleted and created again: read it from its beginning.
    const hasNewLeader = known && (await isFenced(this, error, known.epoch));
    if (hasNewLeader && (await goBack(this, error, known))) return;
    await recoverFromOffsetOutOfRange.call(this, error);
  };
}

const patched = new WeakSet<object>();
const positionsOf = new WeakMap<object, Map<string, Position>>();

/** The metadata of a committed offset. */
export function offsetMetadata(batch: Batch, lastOffset: string): string {
  return `leader-epoch=${epochAt((batch as FetchedBatch).rawMessages, Number(lastOffset))}`;
}

/**
 * Returns whether a batch continues the records that the consumer has read. If it does not, the
 * consumer goes back.
 */
async function isCurrent(group: ConsumerGroup, batch: FetchedBatch): Promise<boolean> {
  const { topic, partition, rawMessages } = batch;
  const from = Number(batch.fetchedOffset);
  const [first] = rawMessages.epochs;
  if (first === undefined || rawMessages.length === 0) return true;
  const known = await positionAt(group, { topic, partition }, from);
  if (known && first.epoch > known.epoch && (await goBack(group, batch, known))) return false;
  const last = Number(batch.lastOffset());
  const read = { next: last + 1, epoch: epochAt(rawMessages, last) };
  positions(group).set(keyOf(batch), read);
  return true;
}

/** Returns whether the partition's leader has a newer epoch than the given one. */
async function isFenced(group: ConsumerGroup, at: Partition, epoch: number): Promise<boolean> {
  const { errorCode } = await askEndOfEpoch(group, at, { epoch, currentEpoch: epoch });
  return errorCode === FENCED_LEADER_EPOCH;
}

/** Goes back if the broker no longer has the record before a position. */
async function goBack(
  group: ConsumerGroup,
  { topic, partition }: Partition,
  position: Position,
): Promise<boolean> {
  const asked = { epoch: position.epoch, currentEpoch: ANY_EPOCH };
  const { errorCode, end } = await askEndOfEpoch(group, { topic, partition }, asked);
  if (errorCode !== 0) {
    throw requireInternal<ProtocolErrors>('protocol/error').createErrorFromCode(errorCode);
  }
  if (end < 0 || end >= position.next) return false;
  group.logger.warn(RECORDS_LOST, { topic, partition, position: position.next, offset: end });
  group.seek({ topic, partition, offset: String(end) });
  positions(group).delete(keyOf({ topic, partition }));
  return true;
}

/** Returns the position with a known epoch; undefined if the epoch is unknown. */
async function positionAt(
  group: ConsumerGroup,
  { topic, partition }: Partition,
  next: number,
): Promise<Position | undefined> {
  const known = positions(group).get(keyOf({ topic, partition }));
  if (known?.next === next) return known;
  const { responses } = await group.coordinator.offsetFetch({
    groupId: group.groupId,
    topics: [{ topic, partitions: [{ partition }] }],
  });
  const [committed] = responses[0]?.partitions ?? [];
  const epoch = /^leader-epoch=(\d+)$/.exec(committed?.metadata ?? '')?.[1];
  if (epoch === undefined || Number(committed?.offset) !== next) return undefined;
  return { next, epoch: Number(epoch) };
}

function positions(group: ConsumerGroup): Map<string, Position> {
  const known = positionsOf.get(group.cluster) ?? new Map<string, Position>();
  positionsOf.set(group.cluster, known);
  return known;
}

function keyOf({ topic, partition }: Partition): string {
  return `${partition} ${topic}`;
}

/** kafkajs's writer of bytes. */
interface Encoder {
  writeInt32(value: number): Encoder;
  writeString(value: string): Encoder;
  writeArray(items: readonly Encoder[]): Encoder;
}

interface ProtocolErrors {
  createErrorFromCode(code: number): Error;
}

/** Error code of a request whose `currentEpoch` is older than the leader's. */
const FENCED_LEADER_EPOCH = 74;
/** With this `currentEpoch`, the leader does not check the client's knowledge. */
const ANY_EPOCH = -1;

/**
 * Asks the partition's leader for the offset after the last record of an epoch; −1 if the leader
 * does not know it. https://kafka.apache.org/protocol#The_Messages_OffsetForLeaderEpoch
 */
async function askEndOfEpoch(
  { cluster }: ConsumerGroup,
  { topic, partition }: Partition,
  { epoch, currentEpoch }: { readonly epoch: number; readonly currentEpoch: number },
): Promise<{ readonly errorCode: number; readonly end: number }> {
  const leader = cluster
    .findTopicPartitionMetadata(topic)
    .find(({ partitionId }) => partitionId === partition)?.leader;
  if (leader === undefined) return { errorCode: 0, end: -1 };
  const Encoder = requireInternal<new () => Encoder>('protocol/encoder');
  const encode = async (): Promise<Encoder> => {
    const numbers = [partition, currentEpoch, epoch];
    const asked = numbers.reduce((encoder, number) => encoder.writeInt32(number), new Encoder());
    return new Encoder().writeArray([new Encoder().writeString(topic).writeArray([asked])]);
  };
  const decode = async (bytes: Buffer) => {
    // The throttle time, the number of topics, the topic, and the number of partitions precede.
    const at = 4 + 4 + 2 + bytes.readInt16BE(8) + 4;
    return { errorCode: bytes.readInt16BE(at), end: Number(bytes.readBigInt64BE(at + 10)) };
  };
  const broker = await cluster.findBroker({ nodeId: leader });
  const answer = await broker.connectionPool.send({
    request: { apiKey: 23, apiVersion: 2, apiName: 'OffsetForLeaderEpoch', encode },
    response: { decode, parse: async (decoded: unknown) => decoded },
  });
  return answer as Awaited<ReturnType<typeof decode>>;
}
