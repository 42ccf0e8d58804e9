import { createTestDatabase } from '@gudang/embedded/testing';
import { startSilentProxy } from '@gudang/runtime/testing';
import { PrismaPg } from '@prisma/adapter-pg';
import { expect, inject, it, onTestFinished } from 'vitest';
import { postgresPool } from './pool.ts';
import { isOutage } from './sql-state.ts';

it('fails statements after 17 s if the database is frozen, and continues on new connections', async () => {
  const database = await createTestDatabase(inject('postgresUrl'), 'stock');
  const direct = new URL(database.url);
  const proxy = await startSilentProxy({ host: direct.hostname, port: Number(direct.port) });
  const behind = new URL(database.url);
  behind.host = `127.0.0.1:${proxy.port}`;
  const pool = postgresPool({ url: behind.href, pool: 2, name: 'test' });
  const adapter = await new PrismaPg(pool, { disposeExternalPool: true }).connect();
  onTestFinished(async () => {
    await proxy.close();
    await adapter.dispose();
    await database.drop();
  });
  const ask = () => adapter.queryRaw({ sql: 'SELECT 1 AS one', args: [], argTypes: [] });
  await ask();
  proxy.silence();
  const from = performance.now();
  const failures = await Promise.all(
    [1, 2].map(() =>
      ask().then(
        () => undefined,
        (error: unknown) => error,
      ),
    ),
  );
  expect(performance.now() - from).toBeLessThan(22_000);
  // At least one of the two statements fails, because it uses the frozen connection. The other statement
  // may instead open a new connection and succeed.
  expect(failures.filter((error) => error !== undefined).every(isOutage)).toBe(true);
  expect(failures.some((error) => error !== undefined)).toBe(true);
  // The pool has removed the frozen connections, so that new statements succeed.
  for (const _turn of [1, 2]) expect((await ask()).rows).toEqual([[1]]);
}, 60_000);
