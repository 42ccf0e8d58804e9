import type { IncomingHttpHeaders } from 'node:http';
import fastifyCors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';

/** Origins of Apollo Sandbox: on its own site, and embedded in a page. */
const SANDBOX = [
  'https://studio.apollographql.com',
  'https://sandbox.embed.apollographql.com',
] as const;

/** Maximum time for which browsers cache the response to a preflight, in seconds. */
const PREFLIGHT_MAX_AGE_S = 600;

/** Origins whose pages may use the gateway in a browser. */
export interface AllowedOrigins {
  /** Whether pages of this origin may read answers. */
  readonly lists: (origin: string) => boolean;
  /**
   * Whether the gateway may answer a request that browsers send without a preflight, such as a
   * websocket handshake or a plain GET. It may if the request comes from a listed origin, from the
   * gateway's own pages, or not from a browser.
   */
  readonly allows: (headers: IncomingHttpHeaders) => boolean;
}

/**
 * Creates the check of origins.
 * @param listed origins such as `https://shop.example`, or `*` for all origins
 */
export function createAllowedOrigins(listed: readonly string[], sandbox: boolean): AllowedOrigins {
  const origins = new Set([...listed, ...(sandbox ? SANDBOX : [])]);
  const lists = (origin: string): boolean => origins.has('*') || origins.has(origin);
  return {
    lists,
    allows: ({ origin, host, 'sec-fetch-site': site }) => {
      if (origin !== undefined) return lists(origin) || isOwn(origin, host);
      // Browsers send `Sec-Fetch-Site`, but no `Origin`, with a GET whose response the page cannot
      // read.
      return site === undefined || site === 'same-origin' || site === 'none' || origins.has('*');
    },
  };
}

/**
 * Compares only host and port. The schemes may differ, because a proxy in front of the gateway may
 * terminate TLS. Some proxies name the default port of the origin's scheme, which browsers omit.
 */
function isOwn(origin: string, host: string | undefined): boolean {
  const scheme = /^https?:\/\//.exec(origin)?.[0];
  if (scheme === undefined || !URL.canParse(origin) || !URL.canParse(`${scheme}${host}`)) {
    return false;
  }
  return new URL(origin).host === new URL(`${scheme}${host}`).host;
}

/** Headers of answers, besides the safelisted ones, that pages may read (Fetch, 3.3.2). */
const EXPOSED_HEADERS = ['Retry-After', 'WWW-Authenticate'];

/**
 * Sends CORS headers to listed origins.
 * @param exposed further headers of answers that pages may read
 */
export async function serveCors(
  app: FastifyInstance,
  { lists }: AllowedOrigins,
  exposed: readonly string[] = [],
): Promise<void> {
  await app.register(fastifyCors, {
    origin: (origin, answer) => answer(null, origin !== undefined && lists(origin)),
    methods: ['GET', 'POST'],
    exposedHeaders: [...EXPOSED_HEADERS, ...exposed],
    maxAge: PREFLIGHT_MAX_AGE_S,
  });
}
