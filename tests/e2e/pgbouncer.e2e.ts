import { createShopClient } from '@gudang/testing/clients/shop-client';
import { eventually } from '@gudang/testing/eventually';
import { findPgBouncer, type PgBouncer, startPgBouncer } from '@gudang/testing/system/pgbouncer';
import { UNUSUAL_SESSION_DEFAULTS } from '@gudang/testing/system/session-defaults';
import { type System, startSystem } from '@gudang/testing/system/system';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import {
  expectDeletionsInSnapshot,
  expectLostOrderSettled,
  expectPagesInOrder,
  expectSameTimesEverywhere,
} from './order-times.ts';

const program = await findPgBouncer();
const skipped = program ? '' : ' (skipped: pgbouncer is not installed and PGBOUNCER is not set)';

describe.skipIf(!program)(`through PgBouncer${skipped}`, () => {
  const poolers: Partial<Record<'session' | 'transaction', PgBouncer>> = {};
  let system: System;

  beforeAll(async () => {
    const server = inject('postgresUrl');
    for (const poolMode of ['session', 'transaction'] as const) {
      poolers[poolMode] = await startPgBouncer(program ?? '', { server, poolMode });
    }
    system = await startSystem({
      postgresUrl: server,
      kafkaBrokers: inject('kafkaBrokers'),
      sessionDefaults: { ...UNUSUAL_SESSION_DEFAULTS, TimeZone: 'Asia/Jakarta' },
      environment: { order: { RECONCILE_AFTER: '2' } },
      through: ({ to }, address) =>
        to === 'postgres' ? (poolers.session?.through(address) ?? '') : address,
    });
  });
  afterAll(async () => {
    await system?.stop();
    await Promise.all(Object.values(poolers).map((pooler) => pooler.stop()));
  });

  test('in session mode, orders settle and times are the same everywhere', () =>
    expectSameTimesEverywhere(system));
  test('in session mode, pages are in order', () => expectPagesInOrder(system));
  test('in session mode, a snapshot includes deletions', () => expectDeletionsInSnapshot(system));
  test('in session mode, lost orders are published again', () => expectLostOrderSettled(system));

  test('in transaction mode, a service is not ready and names the setting', async () => {
    const pooled = poolers.transaction?.through(system.databaseUrls.order) ?? '';
    const reason = await reasonAfterRestart({ ORDER_DATABASE_URL: pooled });
    expect(reason).toMatch(/is a pooler that assigns connections by transaction$/);
    expect(system.order.output()).toContain('or set ORDER_DATABASE_URL to PostgreSQL itself');
  });

  test('in transaction mode, a direct connection is not accepted either', async () => {
    const { order } = system.databaseUrls;
    const before = terms();
    const reason = await reasonAfterRestart({
      ORDER_DATABASE_URL: order,
      ORDER_DATABASE_DIRECT_URL: poolers.transaction?.through(order),
      LOG_LEVEL: 'debug',
    });
    expect(reason).toMatch(/is a pooler that assigns connections by transaction$/);
    expect(system.order.output()).toContain('or set ORDER_DATABASE_DIRECT_URL to PostgreSQL');
    // A lock on a connection of the pooler would outlive the relay.
    await eventually(
      async () => system.order.output(),
      (output) => output.includes('this session can hold no lock'),
      { until: 'the relay refuses the pooler' },
    );
    expect(terms()).toBe(before);
  });

  test('the relay uses the direct connection', async () => {
    const { order } = system.databaseUrls;
    await system.order.restart({
      ORDER_DATABASE_URL: poolers.session?.through(order),
      ORDER_DATABASE_DIRECT_URL: `${order}?application_name=direct`,
      LOG_LEVEL: 'info',
    });
    await system.order.ready();
    await eventually(
      () =>
        system.databases.order(
          `SELECT FROM pg_stat_activity JOIN pg_locks USING (pid)
           WHERE datname = current_database() AND application_name = 'direct'
             AND locktype = 'advisory' AND granted`,
        ),
      (rows) => rows.length === 1,
      { until: 'the direct connection holds the lock of the relay' },
    );
    const shop = createShopClient(system.graph);
    const { id } = await shop.addStock({ quantity: 1 });
    const { id: created } = await shop.createOrder({ productId: id, quantity: 1 });
    expect(await shop.decided(created)).toMatchObject({ status: 'CONFIRMED' });
  });

  /** Number of terms that the relays of order_db have begun. */
  function terms(): number {
    return system.order.output().split('"relaying the outbox"').length - 1;
  }

  async function reasonAfterRestart(environment: Record<string, string | undefined>) {
    await system.order.restart(environment);
    const { parts } = await eventually(
      () => system.order.readiness(),
      (seen) => /assigns connections/.test(seen.parts['database']?.reason ?? ''),
    );
    return parts['database']?.reason;
  }
});
