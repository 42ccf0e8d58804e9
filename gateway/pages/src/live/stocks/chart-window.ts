import { SHOWN_SECONDS } from './stock-history.ts';

/** While hardly anything is known yet, the lines would be too short to see. */
const LEAST_SECONDS = 60;

/** How far back the charts of a page show: all as far, so that they can be compared. */
export interface ChartWindow {
  /** @param first the first point of a chart, and @param now its last, in seconds since 1970 */
  readonly seconds: (first: number, now: number) => number;
}

export function createChartWindow(): ChartWindow {
  let earliest = Number.POSITIVE_INFINITY;
  return {
    seconds: (first, now) => {
      earliest = Math.min(earliest, first);
      return Math.min(SHOWN_SECONDS, Math.max(LEAST_SECONDS, now - earliest));
    },
  };
}
