/** Time range of the charts, in seconds. */
const SHOWN_SECONDS = 300;
/**
 * Minimum time range of the charts, in seconds. Charts start with this range, because a short line
 * would be too small to see in a longer range.
 */
const MIN_SECONDS = 60;
/**
 * Minimum distance between two points, in seconds. A closer point only updates the quantity of the
 * previous point, because the chart is too narrow to show both.
 */
const RESOLUTION_SECONDS = 2;

/** Quantities over time, in the format of uPlot. */
export interface StockHistory {
  /** Seconds since 1970, ascending. */
  readonly times: number[];
  readonly quantities: number[];
}

export function startHistory(quantity: number, at: number): StockHistory {
  return { times: [at], quantities: [quantity] };
}

/**
 * Adds a point, and drops points that are no longer shown. A history keeps at most about 150
 * points.
 */
export function addPoint({ times, quantities }: StockHistory, quantity: number, at: number): void {
  const last = times.length - 1;
  // The first point is the start of the line. A change directly after the first point is not merged
  // into it.
  if (last > 0 && at - (times[last] ?? 0) < RESOLUTION_SECONDS) {
    quantities[last] = quantity;
    return;
  }
  times.push(at);
  quantities.push(quantity);
  const from = at - SHOWN_SECONDS;
  let dropped = 0;
  // One older point is kept, because it gives the height of the line at the left edge.
  while ((times[dropped + 1] ?? at) < from) dropped += 1;
  if (dropped > 0) {
    times.splice(0, dropped);
    quantities.splice(0, dropped);
  }
}

/** Inserts earlier points before the first one. @param earlier newest first, as in the ledger */
export function prepend(
  { times, quantities }: StockHistory,
  earlier: readonly { readonly at: number; readonly quantity: number }[],
): void {
  const start = times[0] ?? Number.POSITIVE_INFINITY;
  const older = earlier.filter(({ at }) => at < start).reverse();
  times.unshift(...older.map(({ at }) => at));
  quantities.unshift(...older.map(({ quantity }) => quantity));
}

/**
 * Returns the points and an additional point for the current time, so that the line reaches the
 * right edge.
 */
export function untilNow(history: StockHistory, now: number): [number[], number[]] {
  return [
    [...history.times, now],
    [...history.quantities, history.quantities.at(-1) ?? 0],
  ];
}

/** The time range of the charts. All charts have the same range, so that they can be compared. */
export interface ChartWindow {
  /**
   * Returns the range in seconds.
   * @param first first time of a chart
   * @param now last time of the chart
   */
  readonly seconds: (first: number, now: number) => number;
}

export function createChartWindow(): ChartWindow {
  let earliest = Number.POSITIVE_INFINITY;
  return {
    seconds: (first, now) => {
      earliest = Math.min(earliest, first);
      return Math.min(SHOWN_SECONDS, Math.max(MIN_SECONDS, now - earliest));
    },
  };
}
