export type Unit = 'ms' | 'µs' | '/s' | 's' | 'MiB' | 'MiB/h' | '×' | 'requests';

/** What has to hold of the median. */
export interface Bar {
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** One thing that a case measured, with a value for each of its rounds. */
export interface Figure {
  readonly name: string;
  readonly unit: Unit;
  readonly values: readonly number[];
  readonly bar?: Bar | undefined;
}

/** Between the two in the middle when there is an even number of them. */
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
