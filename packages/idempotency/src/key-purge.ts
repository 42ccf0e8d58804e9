import type { SqlClient } from '@gudang/postgres';
import { type Logger, pause, type Stoppable } from '@gudang/runtime';

/** Maximum number of keys that one statement deletes. */
const BATCH_LIMIT = 1_000;
/** Pause between two statements while more keys have expired, in milliseconds. */
const BATCH_PAUSE_MS = 100;
/** Pause before the first round, in milliseconds. It keeps the purge out of a start. */
const FIRST_ROUND_MS = 60_000;
/** Pause between two rounds, in milliseconds. */
const ROUND_MS = 3_600_000;

/**
 * Deletes up to 1,000 keys that are older than `days`. Replicas that purge at the same time delete different
 * keys.
 * @returns the number of deleted keys
 */
export function purgeKeys(database: SqlClient, days: number): Promise<number> {
  return database.$executeRawUnsafe(
    `DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
       SELECT ctid FROM idempotency_keys WHERE created_at < now() - make_interval(days => $1)
       ORDER BY created_at LIMIT ${BATCH_LIMIT} FOR UPDATE SKIP LOCKED))`,
    days,
  );
}

/**
 * Starts a loop that deletes expired keys once an hour, in batches, so that no statement runs long.
 * @param firstMs pause before the first round, in milliseconds; default: one minute
 */
export function startKeyPurge(
  { log }: { readonly log: Pick<Logger, 'debug'> },
  {
    database,
    days,
    firstMs = FIRST_ROUND_MS,
  }: { readonly database: SqlClient; readonly days: number; readonly firstMs?: number },
): Stoppable {
  const stopping = new AbortController();
  const round = async (): Promise<void> => {
    while (!stopping.signal.aborted && (await purgeKeys(database, days)) === BATCH_LIMIT) {
      await pause(BATCH_PAUSE_MS, stopping.signal);
    }
  };
  const running = (async () => {
    await pause(firstMs, stopping.signal);
    while (!stopping.signal.aborted) {
      await round().catch((error: unknown) =>
        log.debug({ err: error }, 'the purge of idempotency keys failed; retrying in an hour'),
      );
      await pause(ROUND_MS, stopping.signal);
    }
  })();
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}
