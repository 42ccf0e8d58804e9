import type { IncomingHttpHeaders } from 'node:http';
import fastifyCors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';

/** Origins of Apollo Sandbox: on its own site, and embedded in a page. */
const SANDBOX = [
  'https://studio.apollographql.com',
  'https://sandbox.embed.apollographql.com',
] as const;

/** How long browsers may cache the answer to a preflight, in seconds. */
const PREFLIGHT_MAX_AGE_S = 600;

/** The websites whose pages may use the gateway in a browser. */
export interface AllowedOrigins {
  /** Whether pages of this origin may read answers. */
  readonly lists: (origin: string) => boolean;
  /**
   * Whether the gateway may answer a request without a preflight, such as a websocket or a plain
   * GET: a request from a listed origin, from the gateway's own pages, or not from a browser.
   */
  readonly allows: (headers: IncomingHttpHeaders) => boolean;
}

/** @param listed origins such as `https://shop.example`; `*`: all */
export function createAllowedOrigins(listed: readonly string[], sandbox: boolean): AllowedOrigins {
  const origins = new Set([...listed, ...(sandbox ? SANDBOX : [])]);
  const lists = (origin: string): boolean => origins.has('*') || origins.has(origin);
  return {
    lists,
    allows: ({ origin, host, 'sec-fetch-site': site }) => {
      if (origin !== undefined) return lists(origin) || isOwn(origin, host);
      // For a GET whose answer the page cannot read, browsers send this header and no `Origin`.
      return site === undefined || site === 'same-origin' || site === 'none' || origins.has('*');
    },
  };
}

/** Compares host and port, not the scheme: a proxy may terminate TLS before the gateway. */
function isOwn(origin: string, host: string | undefined): boolean {
  return host !== undefined && URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
}

/** Serves CORS headers to listed origins. */
export async function serveCors(app: FastifyInstance, { lists }: AllowedOrigins): Promise<void> {
  await app.register(fastifyCors, {
    origin: (origin, answer) => answer(null, origin !== undefined && lists(origin)),
    methods: ['GET', 'POST'],
    maxAge: PREFLIGHT_MAX_AGE_S,
  });
}
