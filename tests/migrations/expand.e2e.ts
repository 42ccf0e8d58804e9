import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { migrate } from '@gudang/prisma';
import { createShopClient } from '@gudang/testing/clients/shop-client';
import { openDatabases, type Query } from '@gudang/testing/system/databases';
import { ERROR_LINE } from '@gudang/testing/system/service-process';
import { useSystem } from '@gudang/testing/system/use-system';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { readCatalogue } from './catalogue.ts';
import { incompatibleChanges } from './incompatible-changes.ts';

const SIDES = ['order', 'stock'] as const;
const TABLES = `SELECT relname AS name FROM pg_class
  WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname NOT LIKE '\\_%'`;
const LABELLED = `SELECT DISTINCT enumtypid::regtype::text AS name FROM pg_enum`;

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gudang-expand-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

it.each(SIDES)('no migration of the database of %s breaks the previous release', async (side) => {
  const migrations = fileURLToPath(new URL(`../../prisma/${side}/migrations`, import.meta.url));
  const names = (await readdir(migrations)).filter((name) => !name.endsWith('.toml')).toSorted();
  const until = join(directory, side);
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/expand_${side}_${process.pid}`;
  await cp(join(migrations, 'migration_lock.toml'), join(until, 'migration_lock.toml'));
  const database = openDatabases({ order: url.href, stock: url.href });
  try {
    const broken: Record<string, string[]> = {};
    let before: Awaited<ReturnType<typeof readCatalogue>> = new Map();
    for (const name of names) {
      await cp(join(migrations, name), join(until, name), { recursive: true });
      await migrate({ database: side, url: url.href, directory: until });
      const after = await readCatalogue(database[side]);
      const sql = await readFile(join(migrations, name, 'migration.sql'), 'utf8');
      broken[name] = incompatibleChanges({ before, after, sql });
      before = after;
    }
    expect(broken).toEqual(Object.fromEntries(names.map((name) => [name, []])));
    expect(before.size).toBeGreaterThan(20);
  } finally {
    await database.close();
    const server = openDatabases({ order: inject('postgresUrl'), stock: inject('postgresUrl') });
    await server.order(`DROP DATABASE IF EXISTS ${url.pathname.slice(1)} WITH (FORCE)`);
    await server.close();
  }
});

const system = useSystem({ environment: { order: { RECONCILE_AFTER: '2' } } });

/** Applies each kind of change that the test above allows. */
async function expand(query: Query): Promise<void> {
  for (const { name } of await query(TABLES)) {
    await query(`ALTER TABLE "${name}" ADD COLUMN later_text text,
      ADD COLUMN later_number integer NOT NULL DEFAULT 7`);
    await query(`CREATE INDEX ON "${name}" (later_number)`);
  }
  for (const { name } of await query(LABELLED)) {
    await query(`ALTER TYPE ${name} ADD VALUE 'LATER'`);
  }
  await query('CREATE TABLE later (id integer PRIMARY KEY)');
}

it('this release keeps working while the schema of a next release is applied', async () => {
  const { graph, live, databases } = system();
  const shop = createShopClient(graph);
  const stock = await shop.addStock({ quantity: 100 });
  const order = async (): Promise<void> => {
    const input = { productId: stock.id, quantity: 1, idempotencyKey: `key-${Math.random()}` };
    const { id } = await shop.createOrder(input);
    expect(await shop.createOrder(input)).toMatchObject({ id });
    expect(await shop.decided(id)).toMatchObject({ status: 'CONFIRMED' });
  };
  const everything = async (): Promise<void> => {
    await order();
    await shop.adjustStock(stock.id, 1);
    const other = await shop.addStock({ quantity: 5 });
    await shop.deleteStock(other.id);
    const { errors } = await graph(`{
      orders(first: 5) { nodes { id status stock { name } } }
      stocks(first: 5) { nodes { id movements(first: 5) { nodes { delta } } } } }`);
    expect(errors).toBeUndefined();
  };
  const after = await shop.stockCursor();
  const watch = await live({
    query: `subscription { stockChanged(ids: ["${stock.id}"], after: "${after}") { stock { quantity } } }`,
  });
  // The first run prepares all statements, so the processes hold prepared statements when the schema
  // changes, as in production.
  await everything();
  for (const side of SIDES) await expand(databases[side]);
  await everything();
  // The stock service is stopped, so the order stays PENDING. The reconciler therefore runs its statements
  // too.
  await system().stock.stop();
  const { id } = await shop.createOrder({ productId: stock.id, quantity: 1 });
  const published = `SELECT FROM reconciliations WHERE order_id = '${id}'`;
  await expect.poll(() => databases.order(published), { timeout: 20_000 }).toHaveLength(1);
  await system().stock.restart();
  expect(await shop.decided(id, { within: 20_000 })).toMatchObject({ status: 'CONFIRMED' });

  const { quantity } = (await shop.stock(stock.id)) ?? {};
  await watch.waitFor(({ stockChanged }) => stockChanged.stock.quantity === quantity);
  expect(watch.errors()).toEqual([]);
  await watch.close();
  for (const part of system().parts()) expect(part.output()).not.toMatch(ERROR_LINE);
});
