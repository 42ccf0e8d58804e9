import type { Rounds } from '../suite/bench-case.ts';
import type { Figure } from '../suite/figure.ts';
import { type Measured, measureLoads, ratio } from '../suite/measure-load.ts';

/** Maximum ratio of the cost at the largest size to the cost at the smallest size. */
export const GROWTH_LIMIT = 1.5;

/** One size of a curve: its load, and the processes whose CPU time counts. */
export interface Point extends Omit<Measured, 'label' | 'only' | 'bars'> {
  readonly size: number;
  /** Names of the groups in the CPU reading. The CPU times of these groups are added up. */
  readonly of: readonly string[];
}

/**
 * Measures the CPU time per request at each size, and the ratio of the largest size to the
 * smallest. The sizes are measured in turns, so that other load on the machine affects all of them.
 */
export async function measureCurve(
  name: string,
  points: readonly Point[],
  rounds: Rounds,
): Promise<Figure[]> {
  const measured = points.map(({ size, of, ...rest }) => ({
    ...rest,
    label: shownSize(size),
    only: of,
  }));
  const found = await measureLoads(measured, rounds);
  const curve = points.map(({ size, of }): Figure => {
    const label = shownSize(size);
    const parts = of.map(
      (what) => found.find((figure) => figure.name === `${label}: CPU ${what}`)?.values ?? [],
    );
    const values = (parts[0] ?? []).map((_, round) =>
      parts.reduce((sum, values) => sum + (values[round] ?? Number.NaN), 0),
    );
    return { name: `${name}: ${label}`, unit: 'µs', values };
  });
  return [...curve, growthOf(name, curve)].filter((figure) => figure !== undefined);
}

/** Returns the ratio of the last figure to the first. */
export function growthOf(name: string, curve: readonly Figure[]): Figure | undefined {
  const [first, last] = [curve.at(0), curve.at(-1)];
  if (!first || !last || first === last) return undefined;
  return ratio(`${name}: grows`, last, first, { atMost: GROWTH_LIMIT });
}

export function shownSize(size: number): string {
  return size.toLocaleString('en');
}
