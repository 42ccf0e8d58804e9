import { isInvalidData } from '@gudang/postgres';
import type { DeadLetter } from '../write-events.ts';

/** One decoded record beside the record itself. */
export interface Readable<T> {
  readonly message: T;
  readonly record: DeadLetter['record'];
  /** For the events that come of it. */
  readonly traceparent?: string | undefined;
}

/**
 * Applies a batch, and the letters for what of it could not be decoded, in one transaction. When
 * PostgreSQL refuses it because of its data, halves are tried until the record is found, and that
 * one becomes a letter too: one bad record costs no other.
 * Anything else that goes wrong is thrown, for the batch to be tried again.
 */
export async function applyBatch<T>({
  batch,
  letters = [],
  apply,
}: {
  batch: readonly Readable<T>[];
  letters?: readonly DeadLetter[];
  apply: (batch: readonly Readable<T>[], letters: readonly DeadLetter[]) => Promise<unknown>;
}): Promise<void> {
  if (batch.length + letters.length === 0) return;
  try {
    await apply(batch, letters);
  } catch (error) {
    const [first] = batch;
    if (first === undefined || !isInvalidData(error)) throw error;
    // By themselves: were they the cause, no record would be blamed for them.
    if (letters.length > 0) await apply([], letters);
    if (batch.length === 1 && letters.length === 0) {
      await apply([], [{ record: first.record, reason: `PostgreSQL refused it: ${says(error)}` }]);
      return;
    }
    const middle = Math.ceil(batch.length / 2);
    await applyBatch({ batch: batch.slice(0, middle), apply });
    await applyBatch({ batch: batch.slice(middle), apply });
  }
}

/** PostgreSQL's own words, the last line of what Prisma makes of them. */
function says(error: unknown): string {
  return (error instanceof Error ? error.message.split('\n').at(-1) : undefined) ?? String(error);
}
