import { type OutboxEvent, writeEvents } from '@gudang/outbox';
import type pg from 'pg';

/** Rows in one transaction. */
const PART = 1_000;

/**
 * Writes rows in transactions of at most 1,000. A move that is killed has written some of them completely;
 * the next move writes the rest.
 * @param write writes rows and returns the events of these changes
 */
export async function writeInParts<T>(
  client: pg.Client,
  rows: readonly T[],
  write: (part: readonly T[]) => Promise<readonly OutboxEvent[]>,
): Promise<void> {
  for (let start = 0; start < rows.length; start += PART) {
    await client.query('BEGIN');
    try {
      const events = await write(rows.slice(start, start + PART));
      await writeEvents(sqlClientOf(client), events);
      await client.query('COMMIT');
    } catch (error) {
      // An error of ROLLBACK is ignored: the connection is lost, and with it the transaction.
      await client.query('ROLLBACK').catch(() => {});
      throw error;
    }
  }
}

function sqlClientOf(client: pg.Client) {
  return {
    $queryRawUnsafe: async <T>(query: string, ...values: unknown[]) =>
      (await client.query(query, values)).rows as T,
    $executeRawUnsafe: async (query: string, ...values: unknown[]) =>
      (await client.query(query, values)).rowCount ?? 0,
  };
}
