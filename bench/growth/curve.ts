import type { Rounds } from '../suite/bench-case.ts';
import type { Figure } from '../suite/figure.ts';
import { type Measured, measureLoads, ratio } from '../suite/measure-load.ts';

/** At its largest a thing may cost so many times what it costs at its smallest. */
export const MOST_GROWTH = 1.5;

/** One size of a curve: what is loaded there, and whose CPU counts. */
export interface Point extends Omit<Measured, 'label' | 'only' | 'bars'> {
  readonly size: number;
  /** Names of the CPU reading, added up. */
  readonly of: readonly string[];
}

/**
 * What one request takes at each size, all CPU together, and how often the smallest one's the
 * largest one's is. Sizes take turns, so that what else the machine does meets all of them.
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

/** How often the first one's cost the last one's is. */
export function growthOf(name: string, curve: readonly Figure[]): Figure | undefined {
  const [first, last] = [curve.at(0), curve.at(-1)];
  if (!first || !last || first === last) return undefined;
  return ratio(`${name}: grows`, last, first, { atMost: MOST_GROWTH });
}

export function shownSize(size: number): string {
  return size.toLocaleString('en');
}
