import type { IncomingHttpHeaders } from 'node:http';
import fastifyCors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';

/** Where Apollo's own Sandbox comes from, on its site and embedded in a page. */
const SANDBOX = [
  'https://studio.apollographql.com',
  'https://sandbox.embed.apollographql.com',
] as const;

/** How long browsers may keep what a preflight was answered, in seconds. */
const KEPT_S = 600;

/** Which websites may use the gateway from their visitors' browsers. */
export interface AllowedOrigins {
  /** Whether answers to a page of this origin may be read by it. */
  readonly lists: (origin: string) => boolean;
  /**
   * Whether a request that no browser asks leave for, such as a websocket or a plain GET, may be
   * answered: it comes from no browser, from the gateway's own pages, or from a listed origin.
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
      // A GET without leave to read the answer comes with no origin; browsers say this much of it.
      return site === undefined || site === 'same-origin' || site === 'none' || origins.has('*');
    },
  };
}

/** The port counts, the scheme does not: TLS may end before the gateway. */
function isOwn(origin: string, host: string | undefined): boolean {
  return host !== undefined && URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
}

/** Lets pages of listed origins read answers. */
export async function serveCors(app: FastifyInstance, { lists }: AllowedOrigins): Promise<void> {
  await app.register(fastifyCors, {
    origin: (origin, answer) => answer(null, origin !== undefined && lists(origin)),
    methods: ['GET', 'POST'],
    maxAge: KEPT_S,
  });
}
