import { nodesOf, type PlanNode } from './plans.ts';

/** Of a large table a hot statement reads no more rows than this beside those that it wants. */
const MOST_ROWS = 5_000;
/** What grows for as long as the system is used. */
const GROWING = new Set(['orders', 'decisions', 'movements', 'stocks']);

/** What of a plan grows with its tables; nothing when it costs the same at any size. */
export function whatGrows(plan: PlanNode): string[] {
  const found: string[] = [];
  for (const node of nodesOf(plan)) {
    const { 'Node Type': type, 'Relation Name': table = '', 'Actual Loops': loops } = node;
    if (loops === 0) continue;
    if (type === 'Seq Scan' && GROWING.has(table)) found.push(`reads all of ${table}`);
    const passed =
      loops *
      ((node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0));
    if (passed > MOST_ROWS && table !== '') found.push(`passes over ${passed} rows of ${table}`);
    const sorted = (node.Plans ?? []).reduce((sum, child) => sum + rowsOf(child), 0);
    if (type.endsWith('Sort') && sorted > MOST_ROWS) found.push(`sorts ${sorted} rows`);
    if (type.includes('Bitmap Index Scan') && rowsOf(node) > MOST_ROWS) {
      found.push(`reads ${rowsOf(node)} entries of ${node['Index Name']}`);
    }
  }
  return found;
}

const rowsOf = (node: PlanNode): number => node['Actual Rows'] * node['Actual Loops'];
