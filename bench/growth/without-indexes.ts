import type { Client } from 'pg';

interface Rebuilt {
  readonly drop: string;
  readonly make: string;
}

/**
 * Drops keys and indexes, fills the tables, and creates the keys and indexes again from their
 * definitions. This way, inserting ten million rows takes minutes. With the indexes in place, it
 * would take hours, because the keys are random.
 */
export async function withoutIndexes(
  client: Client,
  tables: readonly string[],
  fill: () => Promise<void>,
): Promise<void> {
  // Foreign keys are dropped first and created last, because they depend on the other keys.
  const constraints = await client.query<Rebuilt>(
    `SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS drop,
            format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname,
              pg_get_constraintdef(oid)) AS make
     FROM pg_constraint
     WHERE contype IN ('p', 'f')
       AND (conrelid = ANY($1::regclass[]) OR confrelid = ANY($1::regclass[]))
     ORDER BY contype`,
    [tables],
  );
  const indexes = await client.query<Rebuilt>(
    `SELECT format('DROP INDEX %s', indexrelid::regclass) AS drop,
            pg_get_indexdef(indexrelid) AS make
     FROM pg_index
     WHERE indrelid = ANY($1::regclass[])
       AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)`,
    [tables],
  );
  for (const { drop } of [...indexes.rows, ...constraints.rows]) await client.query(drop);
  await fill();
  await client.query("SET maintenance_work_mem = '512MB'");
  for (const { make } of constraints.rows.toReversed()) await client.query(make);
  for (const { make } of indexes.rows) await client.query(make);
  // Updates the statistics and the visibility map. Otherwise, autovacuum would do so during the
  // measurement.
  for (const table of tables) await client.query(`VACUUM (ANALYZE) ${table}`);
}
