import type { Databases } from '@gudang/testing/system/databases';

const SIDES = ['order', 'stock'] as const;
const TABLES = { order: 'orders', stock: 'stocks' } as const;

/**
 * Copies the orders and stocks into empty tables. Columns that the other table does not have are left out, so
 * that the tables of an earlier version can be filled.
 */
export async function copyRows(from: Databases, to: Databases): Promise<void> {
  for (const side of SIDES) {
    const table = TABLES[side];
    const [row] = await from[side](`SELECT json_agg(t)::text AS rows FROM ${table} t`);
    const insert = `INSERT INTO ${table} SELECT * FROM json_populate_recordset(NULL::${table}, $1)`;
    await to[side](insert, [row?.['rows']]);
  }
}

/**
 * Collects the statistics of all tables. Without it, autovacuum collects them later, and the plans change
 * during a measurement.
 */
export async function analyzeTables(databases: Databases): Promise<void> {
  await Promise.all(SIDES.map((side) => databases[side]('VACUUM (ANALYZE)')));
}
