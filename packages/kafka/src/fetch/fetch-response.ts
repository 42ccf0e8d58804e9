import { replaceInternal } from '../patches/kafkajs-internals.ts';
import { type AbortedTransaction, AbortedTransactions } from './aborted-transactions.ts';
import { isDamaged, isOutOfMemory } from './damaged-batch.ts';
import type { FetchedMessage, FetchedMessages } from './fetched-messages.ts';
import { decodeLegacyMessage } from './legacy-message.ts';
import { BATCH, decodeRecordBatch, MAGIC, UNCOUNTED } from './record-batch.ts';

/** A partition of a fetch response, with the fields that kafkajs reads. */
interface FetchedPartition {
  readonly partition: number;
  readonly errorCode: number;
  /**
   * The offset after the last record that the consumer may read. kafkajs expects the end of the
   * partition here, which the consumer does not reach while a transaction is open.
   */
  readonly highWatermark: string;
  /** Always empty, because aborted records are already left out of `messages`. */
  readonly abortedTransactions: readonly never[];
  readonly preferredReadReplica: number;
  readonly messages: FetchedMessages;
}

/**
 * Size limit for the records that are decoded from one partition of a response, in bytes. Decoding stops after the batch that exceeds the limit; the remaining batches are fetched again. A
 * response of 1 MiB can contain hundreds of batches of `BATCH_LIMIT` each.
 */
const PARTITION_LIMIT = 8 * 1024 * 1024;
/** Memory of a decoded record besides its key, value and headers, in bytes. */
const RECORD_BYTES = 200;
/** Minimum size of a message of any format, in bytes. */
const SMALLEST_MESSAGE = 26;

/**
 * Replaces kafkajs 2.2.4's decoder of fetch responses of version 11, the only version that kafkajs
 * uses with Kafka 2.3 and later. kafkajs stops the consumer, and never moves past the batch, for a
 * batch that it cannot decode; it verifies no checksums, decompresses without a size limit, and
 * delivers records of aborted transactions (see `AbortedTransactions`). It also passes a batch's
 * records to Array.push as arguments, which fails at about 125,000 records.
 */
export function patchFetchResponse(): void {
  replaceInternal<{ readonly parse: unknown; readonly decode: unknown }>(
    'protocol/requests/fetch/v11/response',
    ({ parse }) => ({ parse, decode: decodeFetchResponse }),
  );
}

/**
 * Decodes a fetch response of version 11, https://kafka.apache.org/protocol#The_Messages_Fetch.
 * @throws {Error} if this process has too little memory, or if the response itself is malformed
 */
export async function decodeFetchResponse(bytes: Buffer) {
  const reader = new ResponseReader(bytes);
  const clientSideThrottleTime = reader.readInt32();
  const errorCode = reader.readInt16();
  const sessionId = reader.readInt32();
  const responses: { topicName: string; partitions: FetchedPartition[] }[] = [];
  for (let topics = reader.readInt32(); topics > 0; topics -= 1) {
    const topicName = reader.readText();
    const partitions: FetchedPartition[] = [];
    for (let count = reader.readInt32(); count > 0; count -= 1) {
      partitions.push(await decodePartition(reader));
    }
    responses.push({ topicName, partitions });
  }
  // `throttleTime` is 0, because the broker has not delayed the response. It expects the client to
  // wait for `clientSideThrottleTime`.
  return { throttleTime: 0, clientSideThrottleTime, errorCode, sessionId, responses };
}

async function decodePartition(reader: ResponseReader): Promise<FetchedPartition> {
  const partition = reader.readInt32();
  const errorCode = reader.readInt16();
  const highWatermark = reader.readInt64();
  const lastStableOffset = reader.readInt64();
  // The log's first offset is not needed.
  reader.readInt64();
  const aborted: AbortedTransaction[] = [];
  for (let count = reader.readInt32(); count > 0; count -= 1) {
    aborted.push({ producerId: reader.readInt64(), firstOffset: reader.readInt64() });
  }
  const preferredReadReplica = reader.readInt32();
  const end = lastStableOffset < 0n ? highWatermark : lastStableOffset;
  return {
    partition,
    errorCode,
    highWatermark: String(end),
    abortedTransactions: [],
    preferredReadReplica,
    messages: await decodeBatches(reader.readBytes(), new AbortedTransactions(aborted), end),
  };
}

/** @param end the offset after the last record that the consumer may read */
async function decodeBatches(
  bytes: Buffer,
  aborted: AbortedTransactions,
  end: bigint,
): Promise<FetchedMessages> {
  const epochs: { epoch: number; first: number }[] = [];
  const found = Object.assign([] as FetchedMessage[], { epochs });
  let size = 0;
  let at = 0;
  while (size < PARTITION_LIMIT && at + SMALLEST_MESSAGE <= bytes.length) {
    const length = bytes.readInt32BE(at + BATCH.length);
    const next = at + UNCOUNTED + length;
    if (next < at + SMALLEST_MESSAGE) throw new Error(`A record batch has the length ${length}`);
    // The last batch of a response may be truncated.
    if (next > bytes.length) break;
    const batch = bytes.subarray(at, next);
    noteEpoch(epochs, batch);
    const nextOffset = next + 8 <= bytes.length ? bytes.readBigInt64BE(next) : end;
    for (const message of await decodeBatch(batch, aborted, nextOffset)) {
      // The batch is fetched again.
      if (message === 'unconfirmed') return found;
      found.push(message);
      size += sizeOf(message);
    }
    at = next;
  }
  return found;
}

function sizeOf({ key, value, headers }: FetchedMessage): number {
  let size = RECORD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
  for (const name in headers) {
    size += name.length;
    for (const one of [headers[name] ?? null].flat()) size += one?.length ?? 0;
  }
  return size;
}

function noteEpoch(epochs: { epoch: number; first: number }[], batch: Buffer): void {
  if (batch.readInt8(BATCH.magic) !== MAGIC) return;
  const epoch = batch.readInt32BE(BATCH.leaderEpoch);
  const first = Number(batch.readBigInt64BE(BATCH.firstOffset));
  if (epochs.at(-1)?.epoch !== epoch) epochs.push({ epoch, first });
}

/**
 * Decodes a batch of any message format.
 * @param nextOffset the first offset of the next batch, or the end of the partition
 * @returns the batch's records; `unconfirmed` if the batch could not be decoded and must be fetched
 *   again
 */
async function decodeBatch(
  bytes: Buffer,
  aborted: AbortedTransactions,
  nextOffset: bigint,
): Promise<readonly (FetchedMessage | 'unconfirmed')[]> {
  const magic = bytes.readInt8(BATCH.magic);
  try {
    if (magic === 0 || magic === 1) return await decodeLegacyMessage(bytes);
    if (magic !== MAGIC) throw new Error(`The message format ${magic} is unknown`);
    if (bytes.length >= BATCH.records && aborted.hides(bytes)) return [skipTo(lastOffsetOf(bytes))];
    const records = await decodeRecordBatch(bytes);
    const last = lastOffsetOf(bytes);
    // Compaction deletes records but keeps the batch's last offset.
    return records.at(-1)?.offset === last ? records : [...records, skipTo(last)];
  } catch (error) {
    if (isOutOfMemory(error)) throw error;
    if (!isDamaged(bytes)) return ['unconfirmed'];
    const reason = `the record batch cannot be decoded: ${(error as Error).message}`;
    return [toDamage(bytes, reason, nextOffset)];
  }
}

function lastOffsetOf(bytes: Buffer): string {
  const first = bytes.readBigInt64BE(BATCH.firstOffset);
  return String(first + BigInt(bytes.readInt32BE(BATCH.lastOffsetDelta)));
}

function skipTo(offset: string): FetchedMessage {
  const nothing = { key: null, value: null, headers: {}, timestamp: '-1' };
  return {
    ...nothing,
    offset,
    magicByte: MAGIC,
    attributes: 0,
    isControlRecord: false,
    isSkipped: true,
  };
}

function toDamage(bytes: Buffer, reason: string, nextOffset: bigint): FetchedMessage {
  const first = bytes.readBigInt64BE(BATCH.firstOffset);
  const magicByte = bytes.readInt8(BATCH.magic);
  const isCurrent = magicByte === MAGIC && bytes.length >= BATCH.records;
  const claimed = isCurrent ? BigInt(lastOffsetOf(bytes)) : first;
  // The claimed last offset may be damaged too. Never skip the records of the next batch.
  const isPlausible = claimed >= first && claimed < nextOffset;
  const last = isPlausible ? claimed : nextOffset > first ? nextOffset - 1n : first;
  return {
    key: null,
    value: bytes,
    headers: {},
    timestamp: isCurrent ? String(bytes.readBigInt64BE(BATCH.maxTimestamp)) : '-1',
    offset: String(last),
    magicByte,
    attributes: 0,
    isControlRecord: false,
    damage: { reason, firstOffset: String(first) },
  };
}

/** Reads the fields of a response in their order. */
class ResponseReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  readInt16(): number {
    this.#at += 2;
    return this.#bytes.readInt16BE(this.#at - 2);
  }

  readInt32(): number {
    this.#at += 4;
    return this.#bytes.readInt32BE(this.#at - 4);
  }

  readInt64(): bigint {
    this.#at += 8;
    return this.#bytes.readBigInt64BE(this.#at - 8);
  }

  readText(): string {
    const length = this.readInt16();
    this.#at += length;
    return this.#bytes.toString('utf8', this.#at - length, this.#at);
  }

  /** Returns no bytes for null. */
  readBytes(): Buffer {
    const length = Math.max(0, this.readInt32());
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}
