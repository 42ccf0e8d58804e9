import { isRefusedData } from '../database/sql-state.ts';
import type { DeadLetter } from '../outbox/write-events.ts';

/** One decoded record beside the record itself. */
export interface Readable<T> {
  readonly message: T;
  readonly record: DeadLetter['record'];
}

/**
 * Applies a batch in one transaction. When PostgreSQL refuses it because of its data, halves are
 * tried until the record is found, and that one is set aside: one bad record costs no other.
 * Anything else that goes wrong is thrown, for the batch to be tried again.
 */
export async function applyBatch<T>(
  batch: readonly Readable<T>[],
  apply: (batch: readonly Readable<T>[]) => Promise<void>,
  setAside: (letter: DeadLetter) => Promise<void>,
): Promise<void> {
  if (batch.length === 0) return;
  try {
    await apply(batch);
  } catch (error) {
    if (!isRefusedData(error)) throw error;
    const [first] = batch;
    if (batch.length === 1 && first) {
      const reason = error instanceof Error ? error.message.split('\n').at(-1) : String(error);
      await setAside({ record: first.record, reason: `PostgreSQL refused it: ${reason}` });
      return;
    }
    const middle = Math.ceil(batch.length / 2);
    await applyBatch(batch.slice(0, middle), apply, setAside);
    await applyBatch(batch.slice(middle), apply, setAside);
  }
}
