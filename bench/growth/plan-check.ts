import { nodesOf, type PlanNode } from './plans.ts';

/** Maximum number of rows of a large table that a hot statement may read beyond its result. */
const ROW_LIMIT = 5_000;
/** Tables that grow without bound. */
const GROWING_TABLES = new Set(['orders', 'decisions', 'movements', 'stocks']);

/** Returns the parts of a plan whose cost grows with the size of the tables. */
export function findGrowth(plan: PlanNode): string[] {
  const found: string[] = [];
  for (const node of nodesOf(plan)) {
    const { 'Node Type': type, 'Relation Name': table = '', 'Actual Loops': loops } = node;
    if (loops === 0) continue;
    if (type === 'Seq Scan' && GROWING_TABLES.has(table)) found.push(`reads all of ${table}`);
    const discarded =
      loops *
      ((node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0));
    if (discarded > ROW_LIMIT && table !== '') found.push(`discards ${discarded} rows of ${table}`);
    const sorted = (node.Plans ?? []).reduce((sum, child) => sum + rowsOf(child), 0);
    if (type.endsWith('Sort') && sorted > ROW_LIMIT) found.push(`sorts ${sorted} rows`);
    if (type.includes('Bitmap Index Scan') && rowsOf(node) > ROW_LIMIT) {
      found.push(`reads ${rowsOf(node)} entries of ${node['Index Name']}`);
    }
  }
  return found;
}

const rowsOf = (node: PlanNode): number => node['Actual Rows'] * node['Actual Loops'];
