import { median } from '../suite/figure.ts';

/** Figures of all rounds with one and with three replicas of each service. */
export interface ScaleFigures {
  /** @param name includes the unit, for example `an order, ms CPU of gateway` */
  readonly note: (name: string, replicas: number, value: number) => void;
  /**
   * Returns one line per figure: median, minimum and maximum of its rounds, and the ratio of three
   * replicas to one.
   */
  readonly lines: () => readonly string[];
}

export function createScaleFigures(): ScaleFigures {
  const noted = new Map<string, Map<number, number[]>>();
  const shown = (value: number): string => String(Number(value.toPrecision(3)));
  const spread = (values: readonly number[]): string =>
    values.length < 2 ? '' : ` (${shown(Math.min(...values))} – ${shown(Math.max(...values))})`;
  return {
    note: (name, replicas, value) => {
      const of = noted.get(name) ?? new Map<number, number[]>();
      noted.set(name, of.set(replicas, [...(of.get(replicas) ?? []), value]));
    },
    lines: () =>
      [...noted].map(([name, of]) => {
        const each = [...of].toSorted(([one], [other]) => one - other);
        const medians = each
          .map(([, values]) => shown(median(values)) + spread(values))
          .join(' → ');
        const [one, three] = each.map(([, values]) => median(values));
        const times = one && three && one > 0 && three > 0 ? `, ${shown(three / one)} times` : '';
        return `${name}: ${medians}${times}`;
      }),
  };
}
