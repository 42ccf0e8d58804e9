/** Memory of a process after garbage collection, in bytes, after a number of cases. */
export interface Sample {
  readonly cases: number;
  readonly bytes: number;
}

/**
 * Returns the growth per case in bytes once caches are full: the Theil–Sen estimator, the median
 * slope between all pairs of samples in the later half. It is robust against an incomplete garbage
 * collection.
 */
export function growthPerCase(samples: readonly Sample[]): number {
  const later = samples.slice(Math.floor(samples.length / 2));
  const slopes = later.flatMap((one, index) =>
    later.slice(index + 1).map((other) => (other.bytes - one.bytes) / (other.cases - one.cases)),
  );
  slopes.sort((one, other) => one - other);
  return slopes[Math.floor(slopes.length / 2)] ?? Number.NaN;
}
