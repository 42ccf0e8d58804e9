import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { migrate } from './migrate-database.ts';
import { migrationsDirectory } from './migration-files.ts';

const FIRST_MIGRATION = '20261129001000_order_status_cancelled';
const directory = migrationsDirectory('order');
const name = `order_cancellations_${process.pid}`;
const url = (database: string): string => {
  const address = new URL(inject('postgresUrl'));
  address.pathname = `/${database}`;
  return address.href;
};

let earlier: string;
let client: pg.Client;

beforeEach(async () => {
  earlier = await mkdtemp(join(tmpdir(), 'gudang-migrations-'));
  for (const entry of await readdir(directory)) {
    if (entry < FIRST_MIGRATION || entry.endsWith('.toml')) {
      await cp(join(directory, entry), join(earlier, entry), { recursive: true });
    }
  }
  await migrate({ database: 'order', url: url(name), directory: earlier });
  client = new pg.Client(url(name));
  await client.connect();
});
afterEach(async () => {
  await client.end();
  await rm(earlier, { recursive: true, force: true });
  const server = new pg.Client(inject('postgresUrl'));
  await server.connect();
  await server.query(`DROP DATABASE "${name}" WITH (FORCE)`);
  await server.end();
});

const DECIDE = `UPDATE orders SET status = 'CONFIRMED', decided_at = now() WHERE id = $1`;
const INSERT = `INSERT INTO orders (id, product_id, quantity) VALUES (gen_random_uuid(), 'kopi', 1)
  RETURNING id`;
const insert = async (): Promise<string> => (await client.query(INSERT)).rows[0].id;

it('gives the orders of the previous release their versions, also while it still runs', async () => {
  const [pending, decided, unsent] = [await insert(), await insert(), await insert()];
  await client.query(DECIDE, [decided]);
  await client.query(DECIDE, [unsent]);
  await client.query(
    `INSERT INTO outbox (topic, key) VALUES ('order_changed', convert_to($1, 'UTF8'))`,
    [unsent],
  );
  const { applied } = await migrate({ database: 'order', url: url(name) });
  expect(applied).toContain(FIRST_MIGRATION);

  const stateOf = async (id: string) => {
    const { rows } = await client.query(
      `SELECT version, changed_at > now() - interval '1 day' AS changed FROM orders WHERE id = $1`,
      [id],
    );
    return rows[0];
  };
  expect(await stateOf(pending)).toEqual({ version: 1, changed: true });
  expect(await stateOf(decided)).toEqual({ version: 2, changed: false });
  expect(await stateOf(unsent)).toEqual({ version: 2, changed: true });

  // The statements of the previous release, on the new schema.
  const later = await insert();
  expect(await stateOf(later)).toEqual({ version: 1, changed: true });
  for (const id of [pending, later]) {
    await client.query(DECIDE, [id]);
    expect(await stateOf(id)).toEqual({ version: 2, changed: true });
  }
});
