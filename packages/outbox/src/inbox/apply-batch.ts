import type { KafkaRecord } from '@gudang/kafka';
import { isInvalidData, isOutage, sqlState } from '@gudang/postgres';
import { type DeadLetter, DeadLetters } from './dead-letters.ts';

/** A decoded record. */
export interface InboxMessage<T> {
  readonly message: T;
  readonly record: KafkaRecord;
  /** W3C traceparent for the events that this message causes. */
  readonly traceparent?: string | undefined;
}

/**
 * Applies messages in one transaction. The same transaction writes the given dead letters and the
 * dead letters of messages that cannot be applied.
 */
export type Apply<T> = (
  messages: readonly InboxMessage<T>[],
  deadLetters: DeadLetters,
) => Promise<void>;

/**
 * Applies a batch in one transaction. If PostgreSQL refuses its data, or `apply` fails because of a
 * defect of this system, the batch is halved repeatedly until the record that causes the error is
 * found and dead-lettered. All other records are applied.
 * @param onDeadLetters called with the dead letters of each committed transaction
 * @throws any other error; the caller must retry the batch
 */
export async function applyBatch<T>({
  topic,
  messages,
  unreadable = [],
  apply,
  onDeadLetters = () => {},
}: {
  topic: string;
  messages: readonly InboxMessage<T>[];
  unreadable?: readonly DeadLetter[];
  apply: Apply<T>;
  onDeadLetters?: (letters: readonly DeadLetter[]) => void;
}): Promise<void> {
  const attempt = async (
    part: readonly InboxMessage<T>[],
    letters: readonly DeadLetter[],
  ): Promise<void> => {
    const deadLetters = new DeadLetters(topic, letters);
    await apply(part, deadLetters);
    onDeadLetters(deadLetters.written);
  };
  const applyPart = async (
    part: readonly InboxMessage<T>[],
    letters: readonly DeadLetter[],
  ): Promise<void> => {
    if (part.length + letters.length === 0) return;
    try {
      await attempt(part, letters);
    } catch (error) {
      const [first] = part;
      const cause = recordFault(error);
      if (first === undefined || cause === undefined) throw error;
      // Write the dead letters alone first. If PostgreSQL refuses one of them, this call throws, so
      // that no message is dead-lettered in its place.
      if (letters.length > 0) await attempt([], letters);
      if (part.length === 1 && letters.length === 0) {
        await attempt([], [{ record: first.record, reason: `${cause}: ${lastLine(error)}` }]);
        return;
      }
      const middle = Math.ceil(part.length / 2);
      await applyPart(part.slice(0, middle), []);
      await applyPart(part.slice(middle), []);
    }
  };
  await applyPart(messages, unreadable);
}

/** Names of errors that only defects cause. Prisma's error reports arguments of a wrong type. */
const DEFECTS: ReadonlySet<string> = new Set([
  'TypeError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'URIError',
  'AssertionError',
  'PrismaClientValidationError',
]);

/**
 * Returns the beginning of a dead letter's reason if a record causes an error, so that retrying the
 * same batch cannot help. Returns undefined for any other error, such as an outage or a missing
 * table: a retry may succeed, and a dead letter would blame a valid record.
 */
function recordFault(error: unknown): string | undefined {
  if (isInvalidData(error)) return 'PostgreSQL refused it';
  if (isOutage(error) || sqlState(error) !== undefined) return undefined;
  const isDefect = error instanceof Error && DEFECTS.has(error.name);
  return isDefect ? `applying failed: ${error.name}` : undefined;
}

/** Returns the last line of Prisma's message, which is PostgreSQL's own message. */
function lastLine(error: unknown): string {
  return (error instanceof Error ? error.message.split('\n').at(-1) : undefined) ?? String(error);
}
