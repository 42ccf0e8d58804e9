import { createTestDatabase } from '@gudang/embedded/testing';
import { createTestService } from '@gudang/kafka/testing';
import type { PartState } from '@gudang/runtime';
import { describe, expect, inject, it } from 'vitest';
import { startDatabaseWatch } from './database-watch.ts';
import { createSqlClient } from './testing/sql-client.ts';

describe('startDatabaseWatch', () => {
  /** Watches a database. Returns its state in `/readyz`, and the log lines. */
  const check = async (url: string): Promise<{ state: PartState | undefined; lines: string[] }> => {
    const service = createTestService({ brokers: '127.0.0.1:1', prefix: '' });
    const client = createSqlClient(url);
    const watch = startDatabaseWatch(service, { client, url, setting: 'STOCK_DATABASE_URL' });
    const { parts } = await service.health.report();
    await watch.stop();
    await client.end();
    return { state: parts['database'], lines: service.lines };
  };
  const urlOf = (database: string, user = 'postgres'): string => {
    const url = new URL(inject('postgresUrl'));
    url.pathname = `/${database}`;
    url.username = user;
    return url.href;
  };

  it('reports a migrated database as ok', async () => {
    const database = await createTestDatabase(inject('postgresUrl'), 'stock');
    expect((await check(database.url)).state).toEqual({ state: 'ok' });
    await database.drop();
  });

  it.each([
    [
      'a missing database',
      urlOf('stock_dv'),
      /\/stock_dv has no such database$/,
      'npm run migrate',
    ],
    ['a database without migrations', urlOf('postgres'), /lacks its tables$/, 'npm run migrate'],
    ['an unknown user', urlOf('postgres', 'nobody'), /refuses the user/, 'STOCK_DATABASE_URL'],
    [
      'a server that does not run',
      'postgresql://me:secret@127.0.0.1:1/a',
      /:1\/a does not answer$/,
      'start it',
    ],
  ])('reports %s and what to do', async (_what, url, reason, advice) => {
    const { state, lines } = await check(url);
    expect(state).toEqual({ state: 'down', reason: expect.stringMatching(reason) });
    expect(lines.join()).toContain(advice);
    expect(lines.join()).not.toContain('secret');
  });
});
