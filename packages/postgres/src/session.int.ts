import { createTestDatabase, type TestDatabase } from '@gudang/embedded/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { postgresPool } from './pool.ts';

let database: TestDatabase;
let pool: pg.Pool;

/** Runs statements on a connection of its own, with PostgreSQL's defaults. */
async function administer(...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: inject('postgresUrl') });
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}

const name = (): string => new URL(database.url).pathname.slice(1);
const show = async (setting: string): Promise<unknown> =>
  (await pool.query(`SELECT current_setting('${setting}') AS value`)).rows[0].value;

beforeAll(async () => {
  database = await createTestDatabase(inject('postgresUrl'), 'stock');
  const defaults = {
    TimeZone: 'America/New_York',
    DateStyle: 'German, DMY',
    IntervalStyle: 'iso_8601',
    client_encoding: 'LATIN1',
    bytea_output: 'escape',
    extra_float_digits: '-15',
    standard_conforming_strings: 'off',
    array_nulls: 'off',
    transform_null_equals: 'on',
    search_path: 'pg_catalog',
    default_transaction_isolation: 'serializable',
    synchronous_commit: 'off',
    statement_timeout: '20s',
    lock_timeout: '21s',
    idle_in_transaction_session_timeout: '22s',
    idle_session_timeout: '23s',
  };
  await administer(
    ...Object.entries(defaults).map(
      ([setting, value]) => `ALTER DATABASE ${name()} SET ${setting} = ${pg.escapeLiteral(value)}`,
    ),
  );
  pool = postgresPool({ url: database.url, pool: 1, name: 'test' });
  pool.on('error', () => {});
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

describe('a session', () => {
  it.each([
    ['TimeZone', 'UTC'],
    ['DateStyle', 'ISO, MDY'],
    ['IntervalStyle', 'postgres'],
    ['client_encoding', 'UTF8'],
    ['bytea_output', 'hex'],
    ['extra_float_digits', '1'],
    ['standard_conforming_strings', 'on'],
    ['array_nulls', 'on'],
    ['transform_null_equals', 'off'],
    ['search_path', '"public"'],
    ['default_transaction_isolation', 'read committed'],
    ['synchronous_commit', 'on'],
    ['statement_timeout', '15s'],
    ['lock_timeout', '0'],
    ['idle_in_transaction_session_timeout', '5s'],
    ['idle_session_timeout', '0'],
  ])('pins %s to %s, although the database has another default', async (setting, value) => {
    expect(await show(setting)).toBe(value);
  });

  it('pins its settings again after the server has closed the connection', async () => {
    const first = (await pool.query('SELECT pg_backend_pid() AS pid')).rows[0].pid;
    const closed = new Promise((resolve) => pool.once('remove', resolve));
    await administer(`SELECT pg_terminate_backend(${first})`);
    await closed;
    expect((await pool.query('SELECT pg_backend_pid() AS pid')).rows[0].pid).not.toBe(first);
    expect(await show('TimeZone')).toBe('UTC');
  });

  it('keeps a synchronous_commit that waits for replicas', async () => {
    await administer(`ALTER DATABASE ${name()} SET synchronous_commit = remote_apply`);
    const other = postgresPool({ url: database.url, pool: 1, name: 'test' });
    const { rows } = await other.query("SELECT current_setting('synchronous_commit') AS value");
    await other.end();
    expect(rows[0].value).toBe('remote_apply');
  });

  it.each(['Gudang "1"', "o'clock", 'a\\b'])(
    'uses only the schema %s of the URL',
    async (schema) => {
      const url = `${database.url}?schema=${encodeURIComponent(schema)}`;
      const other = postgresPool({ url, pool: 1, name: 'test' });
      await other.query(`CREATE SCHEMA ${pg.escapeIdentifier(schema)}`);
      const { rows } = await other.query('SELECT to_json(current_schemas(false)) AS schemas');
      await expect(other.query('SELECT FROM stocks')).rejects.toMatchObject({ code: '42P01' });
      await other.end();
      expect(rows[0].schemas).toEqual([schema]);
    },
  );

  it.each([
    ['in a repeated hour, before the change', '2026-11-01T05:30:00.000Z'],
    ['in a repeated hour, after the change', '2026-11-01T06:30:00.000Z'],
    ['after a missing hour', '2026-03-08T07:00:00.000Z'],
  ])('stores and returns a time %s', async (_name, text) => {
    const { rows } = await pool.query(
      'SELECT $1::timestamptz AS at, $1::timestamptz::text AS text',
      [new Date(text)],
    );
    expect(rows[0].at.toISOString()).toBe(text);
    expect(rows[0].text).toBe(`${text.slice(0, 19).replace('T', ' ')}+00`);
  });
});
