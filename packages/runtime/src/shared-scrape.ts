import { pause } from './backoff.ts';

/**
 * Time-out of a scrape that waits for a result, in milliseconds. It is shorter than the time-out of any
 * scraper.
 */
const RESULT_WITHIN_MS = 2_000;

/**
 * Shares one query to a dependency among all metrics of a scrape. No new query starts while one is in
 * flight. If the dependency is unavailable, the scrape lacks only the metrics of this dependency.
 * @returns a function that resolves with the result; undefined if the query fails or takes too long
 */
export function createSharedScrape<T>(query: () => Promise<T>): () => Promise<T | undefined> {
  let inFlight: Promise<T | undefined> | undefined;
  return async () => {
    inFlight ??= query()
      .catch(() => undefined)
      .finally(() => {
        inFlight = undefined;
      });
    const settled = new AbortController();
    try {
      return (await Promise.race([inFlight, pause(RESULT_WITHIN_MS, settled.signal)])) ?? undefined;
    } finally {
      settled.abort();
    }
  };
}
