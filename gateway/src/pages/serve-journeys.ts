import { type Authentication, isAuthenticated } from '@gudang/auth';
import type { FastifyInstance } from 'fastify';
import { request } from 'undici';
import type { RequestCallers } from '../auth/request-callers.ts';

const TIMEOUT_MS = 1_000;
/** Time for which an answer is cached, in milliseconds, so that all open pages share one request. */
const CACHE_MS = 1_000;
/** Maximum size of the receiver's answer, in bytes. 20 journeys take about 8 KB. */
const MAX_BYTES = 256 * 1024;

/**
 * Serves `/journeys`: how long the newest requests took in each service, as the receiver of their spans
 * reports it. With authentication, the caller needs a token, but no scope: a journey contains an id and
 * durations, and all other data is queried with the caller's own rights.
 * @param url of the receiver, which answers at the path `journeys` below it
 */
export function serveJourneys(
  app: FastifyInstance,
  {
    url,
    auth,
    callers,
  }: { url: string; auth: Pick<Authentication, 'on'>; callers: RequestCallers },
): void {
  const source = `${url.replace(/\/$/, '')}/journeys`;
  let fetchedAt = Number.NEGATIVE_INFINITY;
  let cached: Promise<string | undefined> = Promise.resolve(undefined);

  app.get('/journeys', { onRequest: callers.identify }, async (asked, reply) => {
    void reply.header('cache-control', 'no-store').type('application/json');
    if (auth.on && !isAuthenticated(callers.of(asked).identity)) {
      void reply.code(401).header('www-authenticate', 'Bearer');
      return { errors: [NO_TOKEN] };
    }
    const now = performance.now();
    if (now - fetchedAt >= CACHE_MS) {
      fetchedAt = now;
      cached = fetchJson(source);
    }
    const journeys = await cached;
    if (journeys !== undefined) return journeys;
    void reply.code(503).header('retry-after', '1');
    return { errors: [NO_RECEIVER] };
  });
}

/** @returns the text of a JSON answer; undefined if there is no such answer */
async function fetchJson(url: string): Promise<string | undefined> {
  try {
    const { body, statusCode } = await request(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    let text = '';
    for await (const chunk of body.setEncoding('utf8')) {
      text += chunk;
      if (text.length > MAX_BYTES) return undefined;
    }
    if (statusCode !== 200) return undefined;
    JSON.parse(text);
    return text;
  } catch {
    return undefined;
  }
}

const NO_TOKEN = {
  message: 'Journeys require a token: send it as "Authorization: Bearer <token>"',
  extensions: { code: 'UNAUTHENTICATED' },
};

const NO_RECEIVER = {
  message: 'The receiver of journeys does not answer: try again',
  extensions: { code: 'UNAVAILABLE', retryable: true },
};
