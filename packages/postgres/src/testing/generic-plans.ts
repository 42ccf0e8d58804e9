import type { SqlClient } from '../statements.ts';

/** A prepared statement, and the plan that PostgreSQL may use for all of its values. */
export interface GenericPlan {
  readonly text: string;
  /** Lines of EXPLAIN. */
  readonly plan: string;
}

/**
 * Returns the generic plans of the statements that a connection has prepared.
 * @param database a client whose pool has a single connection
 */
export async function genericPlans(database: SqlClient): Promise<GenericPlan[]> {
  await database.$executeRawUnsafe('SET plan_cache_mode = force_generic_plan');
  const prepared = await database.$queryRawUnsafe<{ name: string; text: string; count: number }[]>(
    `SELECT name, statement AS text, cardinality(parameter_types)::int AS count
     FROM pg_prepared_statements WHERE NOT from_sql AND name <> ''`,
  );
  const plans: GenericPlan[] = [];
  for (const { name, text, count } of prepared) {
    const values = Array.from({ length: count }, () => 'NULL').join(', ');
    const lines = await database.$queryRawUnsafe<{ 'QUERY PLAN': string }[]>(
      `EXPLAIN EXECUTE "${name}"${count > 0 ? ` (${values})` : ''}`,
    );
    plans.push({ text, plan: lines.map((line) => line['QUERY PLAN']).join('\n') });
  }
  await database.$executeRawUnsafe('RESET plan_cache_mode');
  return plans;
}
