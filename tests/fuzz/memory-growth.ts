/** What a process keeps after so many cases, in bytes, once its garbage is gone. */
export interface Sample {
  readonly cases: number;
  readonly bytes: number;
}

/**
 * How much a process still grows by a case, in bytes, once its caches are full: the median of the slopes between all
 * pairs of the later half of the samples (Theil and Sen's), which one collection that came too early does not bend.
 */
export function growthPerCase(samples: readonly Sample[]): number {
  const later = samples.slice(Math.floor(samples.length / 2));
  const slopes = later.flatMap((one, index) =>
    later.slice(index + 1).map((other) => (other.bytes - one.bytes) / (other.cases - one.cases)),
  );
  slopes.sort((one, other) => one - other);
  return slopes[Math.floor(slopes.length / 2)] ?? Number.NaN;
}
