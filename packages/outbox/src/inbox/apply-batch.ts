import type { KafkaRecord } from '@gudang/kafka';
import { isInvalidData } from '@gudang/postgres';
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
 * Applies a batch in one transaction. If PostgreSQL refuses its data, the batch is halved
 * repeatedly until the refused record is found and dead-lettered. All other records are applied.
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
      if (first === undefined || !isInvalidData(error)) throw error;
      // Write the dead letters alone first. If PostgreSQL refuses one of them, this call throws, so
      // that no message is dead-lettered in its place.
      if (letters.length > 0) await attempt([], letters);
      if (part.length === 1 && letters.length === 0) {
        const reason = `PostgreSQL refused it: ${lastLine(error)}`;
        await attempt([], [{ record: first.record, reason }]);
        return;
      }
      const middle = Math.ceil(part.length / 2);
      await applyPart(part.slice(0, middle), []);
      await applyPart(part.slice(middle), []);
    }
  };
  await applyPart(messages, unreadable);
}

/** Returns the last line of Prisma's message, which is PostgreSQL's own message. */
function lastLine(error: unknown): string {
  return (error instanceof Error ? error.message.split('\n').at(-1) : undefined) ?? String(error);
}
