import { replaceModule, requireFromKafkajs } from './kafkajs-internals.ts';

/** kafkajs's reader of bytes. */
interface Decoder {
  /** Where the next byte is read. */
  offset: number;
  readInt32(): number;
  canReadBytes(length: number): boolean;
  readBytes(length: number): Buffer;
}

/** What is used here of a record that kafkajs has decoded. */
interface DecodedRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

type DecodeMessages = (decoder: Decoder) => Promise<readonly unknown[]>;

/** Where a batch says its message format, and the number of the present one. */
const MAGIC_OFFSET = 16;
const MAGIC = 2;
/** The fewest bytes of a batch behind its offset and its length. */
const BATCH_OVERHEAD = 49;
/**
 * Decoding stops behind the batch that exceeds this many bytes of keys and values; what is left is
 * fetched again. A response of 1 MiB can hold hundreds of batches of `BATCH_LIMIT` each.
 */
const RESPONSE_LIMIT = 8 * 1024 * 1024;

/**
 * Replaces kafkajs 2.2.4's decoding of a partition's batches: it hands a batch's records to
 * Array.push as arguments, which fails from about 125,000 records on, and decompresses all batches
 * of a response, however large.
 */
export function patchFetchDecoder(): void {
  replaceModule<DecodeMessages>(
    'kafkajs/src/protocol/requests/fetch/v4/decodeMessages',
    (decodeMessages) => (decoder) => decodeBatches(decoder, decodeMessages),
  );
}

async function decodeBatches(
  decoder: Decoder,
  decodeMessages: DecodeMessages,
): Promise<readonly unknown[]> {
  const begin = decoder.offset;
  const size = decoder.readInt32();
  if (size <= 0 || !decoder.canReadBytes(size)) return [];
  const bytes = decoder.readBytes(size);
  if (bytes.readInt8(MAGIC_OFFSET) !== MAGIC) {
    decoder.offset = begin;
    return decodeMessages(decoder);
  }
  const NewDecoder = requireFromKafkajs<new (bytes: Buffer) => Decoder>('protocol/decoder');
  const decodeBatch = requireFromKafkajs<
    (from: Decoder) => Promise<{ readonly records: readonly DecodedRecord[] }>
  >('protocol/recordBatch/v0/decoder');
  const batches = new NewDecoder(bytes);
  const found: DecodedRecord[] = [];
  let decoded = 0;
  while (decoded < RESPONSE_LIMIT && batches.canReadBytes(BATCH_OVERHEAD)) {
    try {
      for (const record of (await decodeBatch(batches)).records) {
        found.push(record);
        decoded += (record.key?.length ?? 0) + (record.value?.length ?? 0);
      }
    } catch (error) {
      // The last batch of a response may be cut off. A batch that cannot be decoded fails the next
      // fetch, once what precedes it is consumed.
      if ((error as Error).name === 'KafkaJSPartialMessageError' || found.length > 0) break;
      throw error;
    }
  }
  return found;
}
