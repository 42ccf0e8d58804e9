import type { Remaining } from './plan/compare.ts';
import type { LegacySystem, Plan } from './plan/plan.ts';
import type { Problem } from './plan/problem.ts';

/** Problems of one kind, and contradictions, that are printed. */
const SHOWN = 10;

/** Renders what the legacy system has. */
export function renderLegacy({ stocks, orders, topic }: LegacySystem, group: string): string {
  const consumed = topic.records.filter(({ isConsumed }) => isConsumed).length;
  const notes = [
    ...(topic.isTruncated
      ? ['Kafka has deleted old records, so old orders may have no record.']
      : []),
    ...(topic.uncommitted.length > 0
      ? [`The group has committed no offset of the partitions ${topic.uncommitted.join(', ')}.`]
      : []),
  ];
  return [
    `The legacy system has ${stocks.length} stocks, ${orders.length} orders, and ` +
      `${topic.records.length} records, of which the group ${group} has consumed ${consumed}.`,
    ...notes,
  ].join('\n');
}

/** Renders what is written, with the number of rows that are there already. */
export function renderRemaining(plan: Plan, remaining: Remaining): string {
  const pending = remaining.orders.filter(({ status }) => status === 'PENDING').length;
  const line = (name: string, planned: number, left: number, more = ''): string =>
    `  ${name.padEnd(10)} ${String(left).padStart(8)}${more}, ${planned - left} there already`;
  const again = remaining.movedAgain.length;
  return [
    'To write:',
    line(
      'stocks',
      plan.stocks.length,
      remaining.stocks.length + again,
      again ? ` (${again} moved again)` : '',
    ),
    line('decisions', plan.decisions.length, remaining.decisions.length),
    line(
      'orders',
      plan.orders.length,
      remaining.orders.length,
      pending ? ` (${pending} PENDING)` : '',
    ),
  ].join('\n');
}

/** Renders the first problems of each kind. */
export function renderProblems(problems: readonly Problem[]): string {
  const kinds = [...new Set(problems.map(({ kind }) => kind))];
  return kinds
    .map((kind) => {
      const found = problems.filter((problem) => problem.kind === kind);
      const lines = found.map(({ subject, message }) => `${subject}: ${message}`);
      return `${kind} (${found.length}):\n${renderFirst(lines)}`;
    })
    .join('\n');
}

/** Renders the first lines of a list, and the number of the others. */
export function renderFirst(lines: readonly string[]): string {
  // Control characters become blanks, because a terminal would execute them.
  const shown = lines.slice(0, SHOWN).map((line) => `  ${line.replaceAll(/\p{C}+/gu, ' ')}`);
  const more = lines.length - shown.length;
  return [...shown, ...(more > 0 ? [`  … and ${more} more (--report writes all)`] : [])].join('\n');
}
