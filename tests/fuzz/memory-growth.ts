/** Number of bytes that a process uses after a number of cases, measured after garbage collection. */
export interface Sample {
  readonly cases: number;
  readonly bytes: number;
}

/**
 * Returns the memory growth per case, in bytes. Only the later half of the samples counts, because the
 * caches are full then. The result is the median slope between all pairs of these samples (Theil–Sen
 * estimator), so single samples with an incomplete garbage collection do not affect it.
 */
export function growthPerCase(samples: readonly Sample[]): number {
  const later = samples.slice(Math.floor(samples.length / 2));
  const slopes = later.flatMap((one, index) =>
    later.slice(index + 1).map((other) => (other.bytes - one.bytes) / (other.cases - one.cases)),
  );
  slopes.sort((one, other) => one - other);
  return slopes[Math.floor(slopes.length / 2)] ?? Number.NaN;
}
