import { crc32c } from '../crc32c.ts';
import { replaceInternal } from './kafkajs-internals.ts';
import {
  type RecordPosition,
  type RecordToEncode,
  sizeOfRecord,
  sizeWithLength,
  writeRecord,
} from './record-encoder.ts';

/** A message as kafkajs passes it to its encoder. */
export interface MessageToSend extends RecordToEncode {
  /** Milliseconds since 1970. Default: now. */
  readonly timestamp?: string | number | null;
}

/** The input of kafkajs's produce requests, from version 3 on. */
export interface ProduceRequest {
  readonly acks: number;
  readonly timeout: number;
  readonly topicData: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number | string;
      readonly messages: readonly MessageToSend[];
    }[];
  }[];
  readonly compression?: number | undefined;
  readonly transactionalId?: string | null | undefined;
  readonly producerId?: number | { readonly value: bigint } | undefined;
}

/** The result of an encoder, with the members that kafkajs reads. */
export interface Encoded {
  readonly buf: Buffer;
  readonly buffer: Buffer;
  readonly size: () => number;
}

/** The length of a batch's fields before its first record, in bytes. */
const BATCH_HEAD = 61;
/** Position of the first byte that the checksum covers. */
const CHECKED_FROM = 21;
/**
 * Number of bytes that a batch's length field does not count: the first offset and the length field
 * itself.
 */
const UNCOUNTED = 12;
const MAGIC = 2;
const NO_PRODUCER = -1n;

interface SizedBatch {
  readonly messages: readonly MessageToSend[];
  readonly positions: readonly RecordPosition[];
  readonly sizes: readonly number[];
  readonly first: number;
  readonly last: number;
  readonly size: number;
}

function sizeBatch(messages: readonly MessageToSend[], now: number): SizedBatch {
  let [first, last] = [Number.POSITIVE_INFINITY, 0];
  const times = messages.map(({ timestamp }) => {
    const time = timestamp == null ? now : Number(timestamp);
    first = Math.min(first, time);
    last = Math.max(last, time);
    return time;
  });
  let size = BATCH_HEAD;
  const positions = times.map((time, offsetDelta) => ({
    offsetDelta,
    timestampDelta: time - first,
  }));
  const sizes = messages.map((message, index) => {
    const recordSize = sizeOfRecord(message, positions[index] as RecordPosition);
    size += sizeWithLength(recordSize);
    return recordSize;
  });
  return { messages, positions, sizes, first, last, size };
}

function writeBatch(into: Buffer, start: number, batch: SizedBatch): number {
  const { messages, positions, sizes, first, last, size } = batch;
  into.writeBigInt64BE(0n, start);
  into.writeInt32BE(size - UNCOUNTED, start + 8);
  // The broker sets the leader's epoch.
  into.writeInt32BE(0, start + 12);
  into.writeInt8(MAGIC, start + 16);
  // Attributes: no compression, no transaction, timestamps set by the producer.
  into.writeInt16BE(0, start + 21);
  into.writeInt32BE(messages.length - 1, start + 23);
  into.writeBigInt64BE(BigInt(first), start + 27);
  into.writeBigInt64BE(BigInt(last), start + 35);
  into.writeBigInt64BE(NO_PRODUCER, start + 43);
  into.writeInt16BE(0, start + 51);
  into.writeInt32BE(0, start + 53);
  into.writeInt32BE(messages.length, start + 57);
  let at = start + BATCH_HEAD;
  messages.forEach((message, index) => {
    at = writeRecord(into, at, message, positions[index] as RecordPosition, sizes[index] as number);
  });
  into.writeUInt32BE(crc32c(into.subarray(start + CHECKED_FROM, at)), start + 17);
  return at;
}

/**
 * Replaces kafkajs 2.2.4's encoder for requests that use neither compression nor an idempotent or
 * transactional producer.
 */
export function patchProduceRequest(): void {
  replaceInternal<(request: ProduceRequest) => object>(
    'protocol/requests/produce/v3/request',
    (createRequest) => (request) => {
      const created = createRequest(request);
      if (!isPlain(request)) return created;
      return { ...created, encode: async () => encodeProduceRequest(request) };
    },
  );
}

function isPlain({ compression, transactionalId, producerId = -1 }: ProduceRequest): boolean {
  const id = typeof producerId === 'number' ? BigInt(producerId) : producerId.value;
  return !compression && transactionalId == null && id === -1n;
}

/**
 * Encodes a produce request of version 3 to 7
 * (https://kafka.apache.org/protocol#The_Messages_Produce) with batches of format 2. Allocates one
 * buffer of the exact size, whereas kafkajs allocates 512 bytes for each record, header and number,
 * and copies each record eight times. A record with nine headers takes kafkajs 36 µs and this
 * encoder 3.6 µs, including the checksum. Must be used only for producers that are neither
 * idempotent nor transactional and that do not compress.
 */
export function encodeProduceRequest(
  { acks, timeout, topicData }: ProduceRequest,
  now = Date.now(),
): Encoded {
  let size = 2 + 2 + 4 + 4;
  const topics = topicData.map(({ topic, partitions }) => {
    size += 2 + Buffer.byteLength(topic) + 4;
    const batches = partitions.map(({ partition, messages }) => {
      const batch = sizeBatch(messages, now);
      size += 4 + 4 + batch.size;
      return { partition: Number(partition), batch };
    });
    return { topic, batches };
  });
  const buf = Buffer.allocUnsafe(size);
  // No transactional id.
  let at = buf.writeInt16BE(-1, 0);
  at = buf.writeInt16BE(acks, at);
  at = buf.writeInt32BE(timeout, at);
  at = buf.writeInt32BE(topics.length, at);
  for (const { topic, batches } of topics) {
    at = buf.writeInt16BE(Buffer.byteLength(topic), at);
    at += buf.write(topic, at);
    at = buf.writeInt32BE(batches.length, at);
    for (const { partition, batch } of batches) {
      at = buf.writeInt32BE(partition, at);
      at = buf.writeInt32BE(batch.size, at);
      at = writeBatch(buf, at, batch);
    }
  }
  return { buf, buffer: buf, size: () => at };
}
