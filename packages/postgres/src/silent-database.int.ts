import { createTestDatabase } from '@gudang/embedded/testing';
import { startSilentProxy } from '@gudang/runtime/testing';
import { expect, inject, it, onTestFinished } from 'vitest';
import { postgresAdapter, postgresPool } from './pool.ts';
import { isOutage } from './sql-state.ts';

it('a database that falls silent is given up after 17 s, and asked anew on other connections', async () => {
  const database = await createTestDatabase(inject('postgresUrl'), 'stock');
  const direct = new URL(database.url);
  const door = await startSilentProxy({ host: direct.hostname, port: Number(direct.port) });
  const behind = new URL(database.url);
  behind.host = `127.0.0.1:${door.port}`;
  const adapter = await postgresAdapter(
    postgresPool({ url: behind.href, pool: 2, name: 'test' }),
  ).connect();
  onTestFinished(async () => {
    await door.close();
    await adapter.dispose();
    await database.drop();
  });
  const ask = () => adapter.queryRaw({ sql: 'SELECT 1 AS one', args: [], argTypes: [] });
  await ask();
  door.silence();
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
  // One of the two got a connection that was open by then, the other may have got a new one.
  expect(failures.filter((error) => error !== undefined).every(isOutage)).toBe(true);
  expect(failures.some((error) => error !== undefined)).toBe(true);
  // Neither is left in the pool, to answer nobody for ever.
  for (const _turn of [1, 2]) expect((await ask()).rows).toEqual([[1]]);
}, 60_000);
