import { withoutCredentials } from '@gudang/runtime';
import { FetchError } from './fetch-error.ts';
import {
  exchange,
  exchangeWithin,
  type HttpResponse,
  headerOf,
  readText,
} from './http-exchange.ts';

const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** Maximum wait that a server may ask for with `Retry-After`, in milliseconds. */
const MAX_RETRY_AFTER_MS = 300_000;
/** Content types of pages, such as the page of a login or of a maintenance. */
const PAGE = /^\s*(?:text\/html|application\/xhtml\+xml|image\/|video\/|audio\/)/i;

export interface FetchedSupergraph {
  readonly sdl: string;
  /** Entity tag, as the server has sent it. */
  readonly etag: string | undefined;
}

export interface FetchOptions {
  readonly headers: ReadonlyMap<string, string>;
  /** Entity tag of the supergraph that the caller has. */
  readonly etag?: string | undefined;
  /** Ends the request when the process stops. */
  readonly signal: AbortSignal;
  readonly timeoutMs?: number;
  readonly maxBytes?: number;
}

/**
 * Fetches a supergraph by one conditional GET. Redirects are followed; another origin than that of
 * the given address never gets the headers or the password of the URL.
 * @returns undefined if the supergraph still has the given entity tag
 * @throws {FetchError}
 */
export async function fetchSupergraph(
  address: string,
  options: FetchOptions,
): Promise<FetchedSupergraph | undefined> {
  const shown = withoutCredentials(address);
  return exchangeWithin(shown, options, async (within) => {
    const response = await follow(address, options, within);
    if (response.statusCode === 304 && options.etag !== undefined) {
      await response.body.dump();
      return undefined;
    }
    await assertSupergraph(shown, response);
    return {
      sdl: await readText(shown, response, options.maxBytes),
      etag: headerOf(response, 'etag'),
    };
  });
}

/** Sends the request, and follows redirects. */
async function follow(
  address: string,
  { headers, etag }: FetchOptions,
  signal: AbortSignal,
): Promise<HttpResponse> {
  const first = new URL(address);
  const condition: Record<string, string> = etag === undefined ? {} : { 'if-none-match': etag };
  const credentials = credentialsOf(first, headers);
  let url = first;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
    const isFirst = url.origin === first.origin;
    const response = await exchange(url, {
      method: 'GET',
      headers: { ...condition, ...(isFirst ? credentials : {}) },
      signal,
    });
    if (!REDIRECTS.has(response.statusCode)) return response;
    await response.body.dump();
    url = redirectTarget(url, headerOf(response, 'location'));
  }
  throw new FetchError(
    `${withoutCredentials(address)} redirects more than ${MAX_REDIRECTS} times`,
    {
      advice: 'set SUPERGRAPH to the address of the supergraph itself',
    },
  );
}

/**
 * Returns the target of a redirect.
 * @throws {FetchError} if the target is no URL, or not encrypted although the source is
 */
export function redirectTarget(from: URL, location: string | undefined): URL {
  const shown = withoutCredentials(from.href);
  const advice = 'set SUPERGRAPH to the address of the supergraph itself';
  if (location === undefined || !URL.canParse(location, from.href)) {
    throw new FetchError(`${shown} redirects without a valid Location`, { advice });
  }
  const to = new URL(location, from);
  if (to.protocol === 'https:' || (to.protocol === 'http:' && from.protocol === 'http:')) return to;
  const target = withoutCredentials(to.href);
  throw new FetchError(`${shown} redirects to ${target}, which is not encrypted`, { advice });
}

function credentialsOf(
  { username, password }: URL,
  headers: ReadonlyMap<string, string>,
): Record<string, string> {
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const basic = `Basic ${Buffer.from(pair).toString('base64')}`;
  return { ...(pair === ':' ? {} : { authorization: basic }), ...Object.fromEntries(headers) };
}

const ADVICE = new Map([
  [401, 'check the credentials in SUPERGRAPH_HEADERS'],
  [403, 'check the credentials in SUPERGRAPH_HEADERS'],
  [404, 'check the address in SUPERGRAPH'],
  [410, 'check the address in SUPERGRAPH'],
]);

/** @throws {FetchError} if the response cannot be a supergraph */
async function assertSupergraph(shown: string, response: HttpResponse): Promise<void> {
  const { statusCode } = response;
  const type = headerOf(response, 'content-type') ?? '';
  if (statusCode === 200 && !PAGE.test(type)) return;
  await response.body.dump();
  if (statusCode === 200) {
    throw new FetchError(`${shown} answered with ${type.slice(0, 100)} instead of a supergraph`, {
      advice: 'check the address in SUPERGRAPH',
    });
  }
  throw new FetchError(`${shown} answered ${statusCode}`, {
    retryable: statusCode === 408 || statusCode === 429 || statusCode >= 500,
    advice: ADVICE.get(statusCode) ?? 'check the server',
    retryAfterMs: parseRetryAfter(headerOf(response, 'retry-after')),
  });
}

/** Parses `Retry-After`: seconds, or a date. @see RFC 9110, section 10.2.3 */
function parseRetryAfter(value: string | undefined): number {
  if (value === undefined) return 0;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
}
