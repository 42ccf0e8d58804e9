import { headerText, isNullHeader, type KafkaRecord } from '@gudang/kafka';
import { deadLetterTopic, HEADER, isStorableText } from '@gudang/messages';
import type { SqlClient } from '@gudang/postgres';

/** A record that cannot be applied. */
export interface DeadLetter {
  readonly record: KafkaRecord;
  /** The reason, as shown to operators. It may quote the record. */
  readonly reason: string;
}

/** Maximum length of an original header that a dead letter keeps, in characters. */
const HEADER_LIMIT = 1_000;
/** Maximum length of all original headers that a dead letter keeps, in characters. */
const HEADERS_LIMIT = 100_000;
/** These original headers would mark the dead letter of another record as handled. */
const RESERVED: ReadonlySet<string> = new Set([HEADER.handledOffset, HEADER.verdict]);

/** The dead letters of one attempt to apply a batch. */
export class DeadLetters {
  readonly #topic: string;
  readonly #unreadable: readonly DeadLetter[];
  #written: readonly DeadLetter[] = [];

  /**
   * @param topic the topic of the records, without KAFKA_TOPIC_PREFIX
   * @param unreadable records that could not be decoded
   */
  constructor(topic: string, unreadable: readonly DeadLetter[] = []) {
    this.#topic = topic;
    this.#unreadable = unreadable;
  }

  /** The dead letters of the last call of `write`. */
  get written(): readonly DeadLetter[] {
    return this.#written;
  }

  /**
   * Writes the dead letters of the unreadable records and of the given records to the outbox. They
   * are committed with the batch, so the broker need not be available. Must be called once in each
   * transaction that applies the batch.
   * @param found records that were decoded and cannot be applied
   * @returns the number of dead letters
   */
  async write(transaction: SqlClient, found: readonly DeadLetter[] = []): Promise<number> {
    const letters = [...this.#unreadable, ...found];
    this.#written = letters;
    if (letters.length === 0) return 0;
    await transaction.$executeRawUnsafe(
      `INSERT INTO outbox (topic, key, value, headers)
       SELECT $1, decode(key, 'base64'), decode(value, 'base64'), headers::jsonb
       FROM unnest($2::text[], $3::text[], $4::text[]) AS letter (key, value, headers)`,
      deadLetterTopic(this.#topic),
      letters.map(({ record }) => record.key?.toString('base64') ?? null),
      letters.map(({ record }) => record.value?.toString('base64') ?? null),
      letters.map((letter) => JSON.stringify(headersOf(letter))),
    );
    return letters.length;
  }
}

function headersOf({ record, reason }: DeadLetter): Record<string, string | null> {
  const { damage } = record;
  return {
    ...keptHeaders(record),
    [HEADER.originTopic]: record.topic,
    [HEADER.originPartition]: String(record.partition),
    [HEADER.originOffset]: damage?.firstOffset ?? record.offset,
    ...(damage && { [HEADER.originLastOffset]: record.offset }),
    [HEADER.originTimestamp]: record.timestamp,
    // The reason may quote the record. Remove NUL and replace each half of a surrogate pair,
    // because jsonb accepts neither.
    [HEADER.reason]: reason.replaceAll('\u0000', '').slice(0, HEADER_LIMIT).toWellFormed(),
  };
}

/**
 * Returns the original headers that fit into the limits. Bytes that are not UTF-8 become U+FFFD. Of a
 * repeated header, the first value is kept.
 */
function keptHeaders({ headers }: KafkaRecord): Record<string, string | null> {
  // Without a prototype, because a header can be named `__proto__`.
  const kept: Record<string, string | null> = Object.create(null);
  let length = 0;
  for (const name of Object.keys(headers)) {
    const text = headerText(headers, name) ?? '';
    const size = name.length + text.length;
    if (RESERVED.has(name) || !isStorableText(name + text)) continue;
    if (size > HEADER_LIMIT || length + size > HEADERS_LIMIT) continue;
    kept[name] = isNullHeader(headers, name) ? null : text;
    length += size;
  }
  return kept;
}
