import { createTestDatabase, type TestDatabase, testTopicPrefix } from '@gudang/embedded/testing';
import type { KafkaConnection } from '@gudang/kafka';
import { connectTestKafka, createTestService, recordsOf } from '@gudang/kafka/testing';
import { createSqlClient } from '@gudang/postgres/testing';
import { createMetrics } from '@gudang/runtime';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { measureOutbox } from './outbox-metrics.ts';
import { type Relay, startRelay } from './relay.ts';
import { writeEvents } from './write-events.ts';

const CHANGES = 'stock_changed';
/** Rows that pass through the outbox while the snapshot is held. */
const PASSED = 20_000;
/** Rows that pass afterwards, one at a time. */
const LATER = 10;

describe('an outbox whose dead rows are kept by an old snapshot', () => {
  let kafka: KafkaConnection;
  let database: TestDatabase;
  let sql: ReturnType<typeof createSqlClient>;
  let service: ReturnType<typeof createTestService>;
  let snapshot: pg.Client;
  let relays: Relay[];

  beforeEach(async () => {
    relays = [];
    database = await createTestDatabase(inject('postgresUrl'), 'stock');
    sql = createSqlClient(database.url);
    service = createTestService({ brokers: inject('kafkaBrokers'), prefix: testTopicPrefix() });
    kafka = await connectTestKafka(service, [{ topic: CHANGES, partitions: 1 }]);
    snapshot = new pg.Client({ connectionString: database.url });
    await snapshot.connect();
  });
  afterEach(async () => {
    await Promise.all(relays.map((relay) => relay.stop()));
    await Promise.all([kafka.stop(), snapshot.end(), sql.end()]);
    await database.drop();
  });

  const start = async (): Promise<Relay> => {
    const own = { ...service, metrics: createMetrics('test-service') };
    const relay = startRelay(own, { kafka, databaseUrl: database.url, changeTopic: CHANGES });
    relays.push(relay);
    await expect.poll(() => relay.isLeading(), { message: 'the relay leads' }).toBe(true);
    return relay;
  };
  const emptied = (ids = 'true') =>
    expect
      .poll(async () => (await sql.query(`SELECT FROM outbox WHERE ${ids} LIMIT 1`)).length, {
        message: 'the outbox is empty',
        timeout: 40_000,
      })
      .toBe(0);
  /** Holds a snapshot as a backup does. */
  const holdSnapshot = async (): Promise<void> => {
    await snapshot.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    await snapshot.query('SELECT FROM stocks');
  };
  const passRows = async (relay: Relay): Promise<void> => {
    await sql.query(
      `INSERT INTO outbox (topic, key, value, version)
       SELECT $1, 'k', convert_to('{}', 'UTF8'), n FROM generate_series(1, $2) AS n`,
      [CHANGES, PASSED],
    );
    relay.wake();
    await emptied();
  };
  const passLater = async (relay: Relay): Promise<void> => {
    for (let version = 1; version <= LATER; version += 1) {
      await writeEvents(sql, [{ topic: CHANGES, key: 'k', value: '{}', version }]);
      relay.wake();
      await emptied(`id > ${PASSED}`);
    }
  };
  /** Number of scans of the index and of the entries that they passed, dead ones included. */
  const scanned = async (): Promise<{ scans: number; entries: number }> => {
    const [row] = await sql.query(
      `SELECT idx_scan::int AS scans, idx_tup_read::int AS entries
       FROM pg_stat_user_indexes WHERE indexrelname = 'outbox_pkey'`,
    );
    return row;
  };

  it('is read without passing the dead rows, also by a new leader', async () => {
    await holdSnapshot();
    const relay = await start();
    await passRows(relay);
    // Do not count the scans of `emptied` before this point: they have passed all dead rows.
    await passLater(relay);
    await relay.stop();
    const before = await scanned();
    const next = await start();
    await passLater(next);
    await expect
      .poll(async () => (await scanned()).scans - before.scans, {
        message: 'the statistics of the reads are reported',
      })
      .toBeGreaterThanOrEqual(3 * LATER);
    // A new leader searches once below the low-water mark.
    expect((await scanned()).entries - before.entries).toBeLessThan(LATER * PASSED);
    const [{ rows }] = await sql.query('SELECT count(*)::int AS rows FROM relay_progress');
    expect(rows).toBeLessThan(200);
  });

  it('is measured without passing the dead rows', async () => {
    await holdSnapshot();
    await passRows(await start());
    const statements: string[] = [];
    const metrics = createMetrics('test-service');
    measureOutbox(metrics, {
      ...sql,
      $queryRawUnsafe: (query, ...values) => {
        statements.push(query);
        return sql.$queryRawUnsafe(query, ...values);
      },
    });
    expect((await metrics.render()).body).toMatch(/gudang_outbox_oldest_seconds\{[^}]*\} 0/);
    // The statistics of an empty table must not lead to another plan. A row waits, as in an outage.
    await sql.query('ANALYZE outbox');
    await Promise.all(relays.map((relay) => relay.stop()));
    await writeEvents(sql, [{ topic: CHANGES, key: 'k', value: '{}', version: 1 }]);
    const [{ 'QUERY PLAN': lines }] = await sql.query(
      `EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) ${statements[0]}`,
    );
    const { Plan: plan } = lines[0];
    expect(plan['Shared Hit Blocks'] + plan['Shared Read Blocks']).toBeLessThan(100);
  });

  it('sends a row whose transaction commits after rows with higher ids', async () => {
    const late = new pg.Client({ connectionString: database.url });
    await late.connect();
    await late.query('BEGIN');
    await late.query(`INSERT INTO outbox (topic, key, value) VALUES ('${CHANGES}', 'late', 'x')`);
    const relay = await start();
    await passRows(relay);
    await late.query('COMMIT');
    await late.end();
    relay.wake();
    await emptied();
    const keys = (await recordsOf(kafka, CHANGES)).map(({ key }) => String(key));
    expect(keys.at(-1)).toBe('late');
    expect(keys).toHaveLength(PASSED + 1);
  });

  it('sends a row that was inserted below the low-water mark once the next leader begins', async () => {
    const relay = await start();
    await passRows(relay);
    await sql.query(
      `INSERT INTO outbox (id, topic, key, value) OVERRIDING SYSTEM VALUE VALUES (7, $1, 'again', 'x')`,
      [CHANGES],
    );
    await relay.stop();
    await start();
    await emptied();
    expect(String((await recordsOf(kafka, CHANGES)).at(-1)?.key)).toBe('again');
  });

  it('takes ids one at a time, because a transaction must hold its lock when it takes an id', async () => {
    const [{ cache }] = await sql.query(
      `SELECT seqcache::int AS cache FROM pg_sequence
       WHERE seqrelid = pg_get_serial_sequence('outbox', 'id')::regclass`,
    );
    expect(cache).toBe(1);
  });
});
