import type { SqlClient } from '@gudang/postgres';
import type { Metrics } from '@gudang/runtime';
import { createSharedScrape } from '@gudang/runtime';

/** Range of the ids that are counted, so that a scrape is cheap during a backlog of millions. */
const COUNT_LIMIT = 100_000;

/**
 * SQL for the oldest row of the outbox. It begins at the low-water mark, because PostgreSQL would otherwise
 * pass all dead rows that an old snapshot keeps.
 */
export const OLDEST_ROW = `
  SELECT id, created_at FROM outbox
  WHERE id > coalesce(
    (SELECT low_water_mark FROM relay_progress ORDER BY term DESC, step DESC LIMIT 1), 0)
  ORDER BY id LIMIT 1`;

interface Waiting {
  readonly events: number;
  readonly seconds: number;
  readonly rejected: number;
}

/**
 * Measures the number of events in the outbox and the waiting time of the oldest event, by a query
 * at each scrape. All replicas report the same values. While the database is unavailable, the
 * values are NaN, so that no alert reads the outage as an empty outbox.
 */
export function measureOutbox(metrics: Metrics, database: SqlClient): void {
  const ask = createSharedScrape(() => readWaiting(database));
  const addGauge = (name: string, help: string, key: keyof Waiting): void => {
    metrics.gauge(name, help, [], async (gauge) => gauge.set((await ask())?.[key] ?? Number.NaN));
  };
  addGauge(
    'gudang_outbox_events',
    `Events that wait to be sent, of the ${COUNT_LIMIT} oldest`,
    'events',
  );
  addGauge(
    'gudang_outbox_oldest_seconds',
    'How long the oldest event has waited to be sent; 0 when none waits',
    'seconds',
  );
  addGauge(
    'gudang_outbox_set_aside_events',
    'Events that no broker takes, in the table outbox_rejected',
    'rejected',
  );
}

async function readWaiting(database: SqlClient): Promise<Waiting | undefined> {
  // Not a join with `oldest`: for a table that had no rows at the last ANALYZE, it would read all dead rows.
  const [waiting] = await database.$queryRawUnsafe<Waiting[]>(`
    WITH oldest AS MATERIALIZED (${OLDEST_ROW})
    SELECT
      (SELECT count(*) FROM outbox WHERE id >= (SELECT id FROM oldest)
        AND id < (SELECT id FROM oldest) + ${COUNT_LIMIT})::int AS events,
      coalesce((SELECT extract(epoch FROM clock_timestamp() - created_at) FROM oldest), 0)::float8
        AS seconds,
      (SELECT count(*) FROM outbox_rejected)::int AS rejected`);
  return waiting;
}
