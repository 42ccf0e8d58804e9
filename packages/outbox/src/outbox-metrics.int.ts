import { createTestDatabase } from '@gudang/embedded/testing';
import { createSqlClient } from '@gudang/postgres/testing';
import { createMetrics } from '@gudang/runtime';
import { expect, inject, it, onTestFinished } from 'vitest';
import { measureOutbox } from './outbox-metrics.ts';

it('reports the waiting and the rejected events, and NaN while the database is unavailable', async () => {
  const database = await createTestDatabase(inject('postgresUrl'), 'order');
  const sql = createSqlClient(database.url);
  onTestFinished(database.drop);
  const metrics = createMetrics('test-service');
  measureOutbox(metrics, sql);
  const read = async (): Promise<Record<string, number>> => {
    const { body } = await metrics.render();
    const samples = body.matchAll(/^gudang_outbox_(\w+)\{[^}]*\} (\S+)$/gm);
    return Object.fromEntries([...samples].map(([, name, value]) => [name, Number(value)]));
  };
  expect(await read()).toEqual({ events: 0, oldest_seconds: 0, set_aside_events: 0 });
  await sql.query(
    `INSERT INTO outbox (topic, created_at) SELECT 't', now() - make_interval(secs => 100 - n)
     FROM generate_series(1, 3) AS n`,
  );
  await sql.query(
    `INSERT INTO outbox_rejected (id, topic, created_at, reason) VALUES (9, 't', now(), 'large')`,
  );
  const { oldest_seconds: seconds, ...counts } = await read();
  expect(counts).toEqual({ events: 3, set_aside_events: 1 });
  expect(seconds).toBeGreaterThanOrEqual(99);
  await sql.end();
  expect(await read()).toEqual({ events: NaN, oldest_seconds: NaN, set_aside_events: NaN });
});
