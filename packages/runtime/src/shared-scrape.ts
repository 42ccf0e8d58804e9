import { pause } from './backoff.ts';

/** So long a scrape waits for an answer, in milliseconds: less than any scraper's patience. */
const ANSWERED_WITHIN_MS = 2_000;

/**
 * What several metrics ask somebody else at each scrape: once for all of them, and not again while
 * an answer is due. A server that is away or silent costs these metrics alone, not the whole scrape.
 * @returns asks; undefined where no answer came in time
 */
export function createSharedScrape<T>(ask: () => Promise<T>): () => Promise<T | undefined> {
  let asking: Promise<T | undefined> | undefined;
  return async () => {
    asking ??= ask()
      .catch(() => undefined)
      .finally(() => {
        asking = undefined;
      });
    const over = new AbortController();
    try {
      return (await Promise.race([asking, pause(ANSWERED_WITHIN_MS, over.signal)])) ?? undefined;
    } finally {
      over.abort();
    }
  };
}
