/** PostgreSQL settings that load `auto_explain`. It is disabled until `explaining` enables it. */
export const EXPLAIN_SETTINGS = {
  session_preload_libraries: 'auto_explain',
  'auto_explain.log_analyze': 'on',
  'auto_explain.log_buffers': 'on',
  'auto_explain.log_format': 'json',
  log_line_prefix: '%d|',
};
export const EXPLAIN_ON = 'ALTER SYSTEM SET "auto_explain.log_min_duration" = 0';
export const EXPLAIN_OFF = 'ALTER SYSTEM RESET "auto_explain.log_min_duration"';

/** A plan node of `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)`. */
export interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly 'Shared Hit Blocks'?: number;
  readonly 'Shared Read Blocks'?: number;
  readonly Plans?: readonly PlanNode[];
}

/** An executed statement and its plan. */
export interface Explained {
  readonly database: string;
  readonly text: string;
  readonly ms: number;
  readonly plan: PlanNode;
}

const ENTRY = /^(.*?)\|LOG: {2}duration: ([\d.]+) ms {2}plan:\n((?:\t.*\n)+)/gm;

/** Parses the entries of auto_explain in the server's log. */
export function readPlans(log: string): Explained[] {
  return [...log.matchAll(ENTRY)].map(([, database = '', ms, json = '']) => {
    const entry = JSON.parse(json) as { 'Query Text': string; Plan: PlanNode };
    const text = entry['Query Text'].replaceAll(/\s+/g, ' ').trim();
    return { database, text, ms: Number(ms), plan: entry.Plan };
  });
}

/** Returns the slowest plan of each statement. */
export function slowestOfEach(plans: readonly Explained[]): Explained[] {
  const slowest = new Map<string, Explained>();
  for (const one of plans) {
    const key = `${one.database} ${one.text}`;
    if (one.ms > (slowest.get(key)?.ms ?? -1)) slowest.set(key, one);
  }
  return [...slowest.values()];
}

export function* nodesOf(plan: PlanNode): Generator<PlanNode> {
  yield plan;
  for (const child of plan.Plans ?? []) yield* nodesOf(child);
}

/** Formats a plan, one line per node. */
export function renderPlan(plan: PlanNode, depth = 0): string {
  const of = plan['Index Name'] ?? plan['Relation Name'];
  const removed = plan['Rows Removed by Filter'] ?? 0;
  const cells = [
    `${'  '.repeat(depth)}${plan['Node Type']}${of === undefined ? '' : ` ${of}`}:`,
    `${plan['Actual Rows']} rows${plan['Actual Loops'] === 1 ? '' : ` × ${plan['Actual Loops']}`},`,
    ...(removed > 0 ? [`${removed} discarded,`] : []),
    `${plan['Shared Hit Blocks'] ?? 0} + ${plan['Shared Read Blocks'] ?? 0} pages`,
  ];
  const below = (plan.Plans ?? []).map((child) => renderPlan(child, depth + 1));
  return [cells.join(' '), ...below].join('\n');
}
