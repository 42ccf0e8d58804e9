import type { Query } from '@gudang/testing/system/databases';

/** Definitions of the database objects that a release may depend on, by name. */
export type Catalogue = ReadonlyMap<string, string>;

/**
 * Query for the catalogue. A constraint's or index's name includes its columns. A column's definition
 * includes whether an INSERT may omit the column.
 */
const READ = `
  SELECT format('column %s.%s', c.relname, a.attname) AS name,
    format('%s, %s', format_type(a.atttypid, a.atttypmod),
      CASE WHEN a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' THEN 'required'
        WHEN a.attnotnull THEN 'never null' ELSE 'optional' END) AS is
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  WHERE c.relkind IN ('r', 'p', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped
    AND c.relnamespace = 'public'::regnamespace
  UNION ALL
  SELECT format('constraint %s: %s (%s)', conrelid::regclass, conname, (
      SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute
      WHERE attrelid = conrelid AND attnum = ANY(conkey))), pg_get_constraintdef(oid)
  FROM pg_constraint
  WHERE connamespace = 'public'::regnamespace AND conrelid <> 0 AND contype <> 'n'
  UNION ALL
  SELECT format('unique index %s: %s (%s)', indrelid::regclass, indexrelid::regclass, (
      SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute
      WHERE attrelid = indrelid AND attnum = ANY(indkey))),
    regexp_replace(pg_get_indexdef(indexrelid), '^.* USING ', '')
  FROM pg_index JOIN pg_class c ON c.oid = indexrelid
  WHERE indisunique AND c.relnamespace = 'public'::regnamespace
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
  UNION ALL
  SELECT format('label %s.%s', enumtypid::regtype, enumlabel), 'there' FROM pg_enum
  UNION ALL
  SELECT format('trigger %s: %s', tgrelid::regclass, tgname), pg_get_triggerdef(oid)
  FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL
  SELECT format('function %s', oid::regprocedure), 'there' FROM pg_proc
  WHERE pronamespace = 'public'::regnamespace`;

/** Reads the catalogue, without Prisma's own table. */
export async function readCatalogue(query: Query): Promise<Catalogue> {
  const rows = await query(`SELECT name, "is" FROM (${READ}) AS found ORDER BY name`);
  const ownTables = rows.filter(({ name }) => !String(name).includes('_prisma_migrations'));
  return new Map(ownTables.map(({ name, is }) => [String(name), String(is)]));
}
