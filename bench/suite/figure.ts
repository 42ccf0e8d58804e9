export type Unit = 'ms' | 'µs' | '/s' | 's' | 'MiB' | 'MiB/h' | '×' | 'requests';

/** Limit of the median. */
export interface Bar {
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** One measurement of a case, with one value per round. */
export interface Figure {
  readonly name: string;
  readonly unit: Unit;
  readonly values: readonly number[];
  readonly bar?: Bar | undefined;
}

/** Returns the median. For an even number of values, it is the mean of the two middle ones. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = (sorted.length - 1) / 2;
  const [low, high] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]];
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2;
}

export function holds({ values, bar }: Figure): boolean | undefined {
  if (!bar) return undefined;
  const value = median(values);
  return value <= (bar.atMost ?? Infinity) && value >= (bar.atLeast ?? -Infinity);
}
