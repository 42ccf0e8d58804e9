import type { SqlClient } from '@gudang/postgres';
import type { Metrics } from '@gudang/runtime';
import { createSharedScrape } from '@gudang/runtime';

/** Maximum number of rows that are counted, so that a scrape is cheap during a backlog of millions. */
const COUNT_LIMIT = 100_000;

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
    `Events that wait to be sent; counted up to ${COUNT_LIMIT}`,
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
  const [waiting] = await database.$queryRawUnsafe<Waiting[]>(`
    SELECT
      (SELECT count(*) FROM (SELECT FROM outbox LIMIT ${COUNT_LIMIT}) AS some)::int AS events,
      coalesce((SELECT extract(epoch FROM clock_timestamp() - created_at) FROM outbox
        ORDER BY id LIMIT 1), 0)::float8 AS seconds,
      (SELECT count(*) FROM outbox_rejected)::int AS rejected`);
  return waiting;
}
