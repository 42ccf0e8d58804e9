import { styleText } from 'node:util';
import type { FaultResult } from './run-fault.ts';

const COLUMNS: readonly { readonly head: string; readonly of: (result: FaultResult) => string }[] =
  [
    { head: 'fired', of: ({ fired }) => String(fired) },
    { head: 'orders', of: ({ acknowledged }) => String(acknowledged) },
    { head: 'confirmed', of: ({ confirmed }) => String(confirmed) },
    { head: 'rejected', of: ({ rejected }) => String(rejected) },
    { head: 'cancelled', of: ({ cancelled }) => String(cancelled) },
    { head: 'lost', of: ({ lost }) => String(lost) },
    { head: 'doubled', of: ({ doubled }) => String(doubled) },
    { head: 'returned twice', of: ({ returnedTwice }) => String(returnedTwice) },
    { head: 'oversold', of: ({ oversold }) => String(oversold) },
    { head: 'settled (s)', of: ({ settledIn }) => settledIn.toFixed(1) },
    { head: 'took (s)', of: ({ took }) => took.toFixed(0) },
    { head: 'worst order (ms)', of: ({ worstLatency }) => worstLatency.toFixed(0) },
  ];
const TITLE_WIDTH = 62;

export function tableHead(): string {
  return ['fault'.padEnd(TITLE_WIDTH), ...COLUMNS.map(({ head }) => head)].join('  ');
}

/** Formats a fault's result as one row, followed by its measurements and violations. */
export function tableRow(result: FaultResult): string {
  const title = result.fault.title.padEnd(TITLE_WIDTH);
  if (result.skipped) return styleText('dim', `${title}  skipped: ${result.skipped}`);
  const cells = COLUMNS.map(({ head, of }) => of(result).padStart(head.length));
  const row = [title, ...cells].join('  ');
  const restarted = result.restarted.map((part) => `${part} had to be restarted`);
  const remarks = [...result.notes, ...restarted].map((what) => `    ${what}`);
  if (hasPassed(result)) return [row, ...remarks].join('\n');
  const problems = result.fired > 0 ? [] : ['the fault did not happen'];
  const red = [...problems, ...result.breaches].map((what) => `    ✗ ${what}`);
  return [styleText('red', row), ...remarks, ...red.map((line) => styleText('red', line))].join(
    '\n',
  );
}

/** Returns true if the fault was skipped, or if it happened and all guarantees held. */
export function hasPassed({ skipped, fired, breaches }: FaultResult): boolean {
  return skipped !== undefined || (fired > 0 && breaches.length === 0);
}
