import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeEach, expect, inject, test } from 'vitest';
import { migrate } from './migrate-database.ts';

// @gudang/embedded/vitest-setup contains the same declaration. This package cannot import it, because
// @gudang/embedded depends on this package.
declare module 'vitest' {
  interface ProvidedContext {
    postgresUrl: string;
  }
}

const directory = mkdtempSync(join(tmpdir(), 'gudang-migrations-'));
const server = inject('postgresUrl');
let url: string;

beforeEach(() => {
  const address = new URL(server);
  address.pathname = `/migrate_${randomBytes(4).toString('hex')}`;
  url = address.href;
});
afterEach(async () => {
  await query(server, `DROP DATABASE IF EXISTS ${new URL(url).pathname.slice(1)} WITH (FORCE)`);
});
afterAll(() => rm(directory, { recursive: true }));

function migrations(...sqls: string[]): string {
  const folder = mkdtempSync(join(directory, 'migrations-'));
  writeFileSync(join(folder, 'migration_lock.toml'), 'provider = "postgresql"\n');
  for (const [i, sql] of sqls.entries()) {
    mkdirSync(join(folder, `${i}_step`));
    writeFileSync(join(folder, `${i}_step`, 'migration.sql'), sql);
  }
  return folder;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

async function query(address: string, sql: string) {
  const client = new pg.Client({ connectionString: address });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

test('creates the database and applies each migration once if several calls run concurrently', async () => {
  const folder = migrations('CREATE TABLE a (id int)', 'CREATE TABLE b (id int)');
  const all = await Promise.all(
    [1, 2, 3, 4].map(() => migrate({ database: 'order', url, directory: folder })),
  );
  expect(all.flatMap(({ applied }) => applied)).toEqual(['0_step', '1_step']);
  // `prisma migrate deploy` compares the name and the SHA-256 hash of each migration's file.
  const sql = 'SELECT migration_name AS name, checksum FROM _prisma_migrations ORDER BY 1';
  expect(await query(url, sql)).toEqual([
    { name: '0_step', checksum: sha256('CREATE TABLE a (id int)') },
    { name: '1_step', checksum: sha256('CREATE TABLE b (id int)') },
  ]);
});

test('does not split a script at a semicolon inside a function', async () => {
  const body = 'BEGIN PERFORM 1; RETURN; END';
  const sql = `CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ ${body} $$; -- a; b\nSELECT 1;`;
  const { applied } = await migrate({ database: 'order', url, directory: migrations(sql) });
  expect(applied).toEqual(['0_step']);
});

test('creates an index CONCURRENTLY if the migration has no other statement', async () => {
  const index = '-- It runs in no transaction.\nCREATE INDEX CONCURRENTLY a_id ON a (id);\n';
  const folder = migrations('CREATE TABLE a (id int)', index);
  await migrate({ database: 'order', url, directory: folder });
  expect(
    await query(url, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'a_id'::regclass"),
  ).toEqual([{ indisvalid: true }]);
});

test('reports PostgreSQL’s message for a failed migration and rolls the migration back', async () => {
  const folder = migrations('CREATE TABLE a (id int); CREATE TABLE b (id it);');
  await expect(migrate({ database: 'order', url, directory: folder })).rejects.toThrow(
    /: migration 0_step failed: ERROR: type "it" does not exist$/,
  );
  expect(await query(url, "SELECT to_regclass('a') AS a")).toEqual([{ a: null }]);
});

test('reports the address of a server that does not answer, without the password', async () => {
  const lines: string[] = [];
  const wait = { waitMs: 300, log: (line: string) => lines.push(line) };
  const absent = 'postgresql://a:geheim@127.0.0.1:1/shop';
  await expect(migrate({ database: 'stock', url: absent, ...wait })).rejects.toThrow(
    /^shop at 127\.0\.0\.1:1 did not answer.*STOCK_DATABASE_URL$/,
  );
  expect(lines).toEqual([expect.not.stringContaining('geheim')]);
});
