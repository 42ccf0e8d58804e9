import { pause } from './backoff.ts';

/** How long a scrape waits for a result, in milliseconds: less than the timeout of any scraper. */
const RESULT_WITHIN_MS = 2_000;

/**
 * Shares one query of a dependency among the metrics of a scrape. No new query starts while one is in
 * flight. If the dependency is unavailable, only these metrics are missing, not the whole scrape.
 * @returns a function that resolves with the result; undefined if the query failed or took too long
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
