import { replaceInternal, requireInternal } from './kafkajs-internals.ts';
import { patchRecordDecoder } from './record-decoder.ts';

/** kafkajs's reader of bytes. */
interface Decoder {
  /** The position of the next byte. */
  offset: number;
  readInt32(): number;
  canReadBytes(length: number): boolean;
  readBytes(length: number): Buffer;
}

/** A record that kafkajs has decoded, with only the fields that are used here. */
interface DecodedRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

type DecodeMessages = (decoder: Decoder) => Promise<readonly unknown[]>;

/** Position of the format number in a batch. `MAGIC` is the number of the current format. */
const MAGIC_OFFSET = 16;
const MAGIC = 2;
/** Minimum size of a batch in bytes, without the fields for its offset and its length. */
const BATCH_OVERHEAD = 49;
/**
 * Size limit for the keys and values that are decoded from one response, in bytes. Decoding stops
 * after the batch that exceeds the limit; the remaining batches are fetched again. A response of 1
 * MiB can contain hundreds of batches of `BATCH_LIMIT` each.
 */
const RESPONSE_LIMIT = 8 * 1024 * 1024;

/**
 * Replaces kafkajs 2.2.4's decoding of a partition's batches and of their records. kafkajs passes a
 * batch's records to Array.push as arguments, which fails at about 125,000 records. It also
 * decompresses all batches of a response without a size limit.
 */
export function patchFetchDecoder(): void {
  // Must be replaced first, because loading `decodeMessages` loads the modules that import it.
  patchRecordDecoder();
  replaceInternal<DecodeMessages>(
    'protocol/requests/fetch/v4/decodeMessages',
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
  const BatchReader = requireInternal<new (bytes: Buffer) => Decoder>('protocol/decoder');
  const decodeBatch = requireInternal<
    (from: Decoder) => Promise<{ readonly records: readonly DecodedRecord[] }>
  >('protocol/recordBatch/v0/decoder');
  const batches = new BatchReader(bytes);
  const found: DecodedRecord[] = [];
  let decoded = 0;
  while (decoded < RESPONSE_LIMIT && batches.canReadBytes(BATCH_OVERHEAD)) {
    try {
      for (const record of (await decodeBatch(batches)).records) {
        found.push(record);
        decoded += (record.key?.length ?? 0) + (record.value?.length ?? 0);
      }
    } catch (error) {
      // The last batch of a response may be truncated. If any other batch cannot be decoded, the
      // batches before it are returned first. The next fetch then begins with the damaged batch and
      // fails.
      if ((error as Error).name === 'KafkaJSPartialMessageError' || found.length > 0) break;
      throw error;
    }
  }
  return found;
}
