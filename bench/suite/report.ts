import { type Figure, holds, median } from './figure.ts';

/** Result of a run, written as JSON. */
export interface Report {
  readonly at: string;
  readonly machine: { readonly node: string; readonly cores: number; readonly load: number };
  readonly rounds: number;
  readonly cases: Readonly<Record<string, readonly Figure[]>>;
}

/**
 * Formats the figures of a case as a table, and compares them with an earlier run if there is one.
 */
export function renderCase(
  name: string,
  figures: readonly Figure[],
  earlier?: readonly Figure[],
): string {
  const widest = Math.max(...figures.map((figure) => figure.name.length));
  const lines = figures.map((figure) => {
    const value = median(figure.values);
    const cells = [
      figure.name.padEnd(widest + 2),
      `${shown(value)} ${figure.unit}`.padStart(16),
      spreadOf(figure).padStart(20),
      barOf(figure).padStart(24),
      earlier ? changeOf(value, earlier, figure.name).padStart(24) : '',
    ];
    return `  ${cells.join('').trimEnd()}`;
  });
  return [name, ...lines, ''].join('\n');
}

/** Returns whether all limits of all cases hold. */
export function allHold({ cases }: Pick<Report, 'cases'>): boolean {
  return Object.values(cases).every((figures) => figures.every((one) => holds(one) !== false));
}

function shown(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 1 ? 2 : 3;
  return value.toFixed(digits);
}

function spreadOf({ values }: Figure): string {
  if (values.length < 2) return '';
  return `${shown(Math.min(...values))} – ${shown(Math.max(...values))}`;
}

function barOf(figure: Figure): string {
  const held = holds(figure);
  if (held === undefined) return '';
  const { atMost, atLeast } = figure.bar ?? {};
  const bar = atMost === undefined ? `at least ${atLeast}` : `at most ${atMost}`;
  return `${held ? 'holds' : 'FAILS'}: ${bar}`;
}

function changeOf(value: number, earlier: readonly Figure[], name: string): string {
  const before = earlier.find((figure) => figure.name === name);
  if (!before) return 'new';
  const was = median(before.values);
  const change =
    was === 0 ? '' : ` (${value >= was ? '+' : ''}${((100 * (value - was)) / was).toFixed(0)}%)`;
  return `was ${shown(was)}${change}`;
}
