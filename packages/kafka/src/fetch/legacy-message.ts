import { crc32 } from 'node:zlib';
import { decompress } from './codecs.ts';
import type { FetchedRecord } from './record-decoder.ts';

/**
 * Positions in a message of the formats 0 and 1,
 * https://kafka.apache.org/documentation/#messageset.
 */
const MESSAGE = { size: 8, checksum: 12, magic: 16, attributes: 17, timestamp: 18 } as const;
const HEAD = 12;
const CODEC = 0x07;
const LOG_APPEND_TIME = 0x08;
/** The timestamp of messages of format 0, which have none. */
const NO_TIMESTAMP = '-1';

interface LegacyMessage {
  readonly offset: bigint;
  readonly attributes: number;
  readonly magicByte: number;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

/**
 * Decodes a message of format 0 or 1, which clients before Kafka 0.11 wrote. Brokers from 3.0 on
 * convert such messages when they are produced, but topics may still contain older ones. The value
 * of a compressed message contains other messages.
 * @param bytes the whole message with its offset and size
 * @throws {Error} if the message is damaged or exceeds the size limit; the message is the reason
 */
export async function decodeLegacyMessage(bytes: Buffer): Promise<readonly FetchedRecord[]> {
  const message = readMessage(bytes);
  if (bytes.readUInt32BE(MESSAGE.checksum) !== crc32(bytes.subarray(MESSAGE.magic))) {
    throw new Error('The checksum is wrong');
  }
  const codec = message.attributes & CODEC;
  if (codec === 0) return [toRecord(message)];
  if (message.value === null) throw new Error('A compressed message has no value');
  const inner = readMessages(await decompress(codec, message.value));
  // In format 1, the offsets of the inner messages are relative to the last one, which has the
  // offset of the outer message.
  const base = message.magicByte === 1 ? message.offset - (inner.at(-1)?.offset ?? 0n) : 0n;
  const time = message.attributes & LOG_APPEND_TIME ? message.timestamp : undefined;
  return inner.map((one) =>
    toRecord({ ...one, offset: base + one.offset, timestamp: time ?? one.timestamp }),
  );
}

function readMessages(data: Buffer): readonly LegacyMessage[] {
  const messages: LegacyMessage[] = [];
  for (let at = 0; at < data.length; ) {
    const end = at + HEAD + data.readInt32BE(at + MESSAGE.size);
    if (end <= at || end > data.length) throw new Error('An inner message exceeds the batch');
    messages.push(readMessage(data.subarray(at, end)));
    at = end;
  }
  return messages;
}

function readMessage(bytes: Buffer): LegacyMessage {
  const magicByte = bytes.readInt8(MESSAGE.magic);
  const hasTimestamp = magicByte === 1;
  let at = MESSAGE.timestamp + (hasTimestamp ? 8 : 0);
  const readBytes = (): Buffer | null => {
    const length = bytes.readInt32BE(at);
    const start = at + 4;
    at = start + Math.max(0, length);
    if (at > bytes.length) throw new Error('A message exceeds the batch');
    return length < 0 ? null : bytes.subarray(start, at);
  };
  return {
    offset: bytes.readBigInt64BE(0),
    attributes: bytes.readInt8(MESSAGE.attributes),
    magicByte,
    timestamp: hasTimestamp ? String(bytes.readBigInt64BE(MESSAGE.timestamp)) : NO_TIMESTAMP,
    key: readBytes(),
    value: readBytes(),
  };
}

function toRecord({ offset, ...message }: LegacyMessage): FetchedRecord {
  return { ...message, offset: String(offset), headers: {}, isControlRecord: false };
}
