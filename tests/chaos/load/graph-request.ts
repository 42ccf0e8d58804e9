import { request } from 'node:http';

/** Outcome of one request: data, a GraphQL error, or no response. */
export type Outcome<T> =
  | { readonly kind: 'data'; readonly data: T }
  /** The request had no effect: it was rejected or did not reach the server. */
  | { readonly kind: 'refused'; readonly why: string }
  /** The request may have had an effect. */
  | { readonly kind: 'unknown'; readonly why: string };

/** Time-out of a request, in milliseconds. */
export const TIMEOUT_MS = 5_000;
/** Value of `why` for a request that timed out. */
export const TIMED_OUT = 'ABORT_ERR';
/** Error codes of requests that had no effect. */
const CODES_WITHOUT_EFFECT = new Set(['BAD_USER_INPUT', 'NOT_FOUND', 'IDEMPOTENCY_CONFLICT']);

/**
 * Sends one request over a new connection, without retries. Uses node:http, because fetch does not
 * report whether the connection was refused or lost.
 */
export function sendGraphRequest<T>(
  url: string,
  query: string,
  variables: object,
): Promise<Outcome<T>> {
  return new Promise((resolve) => {
    const fail = (error: NodeJS.ErrnoException): void => {
      const why = error.code ?? error.message;
      resolve({ kind: why === 'ECONNREFUSED' ? 'refused' : 'unknown', why });
    };
    const sending = request(
      `${url}/graphql`,
      {
        method: 'POST',
        agent: false,
        headers: { 'content-type': 'application/json' },
        signal: AbortSignal.timeout(TIMEOUT_MS),
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', fail);
        response.on('end', () => {
          try {
            resolve(read<T>(JSON.parse(Buffer.concat(parts).toString())));
          } catch {
            resolve({ kind: 'unknown', why: `HTTP ${response.statusCode}, body is not JSON` });
          }
        });
      },
    );
    sending.on('error', fail);
    sending.end(JSON.stringify({ query, variables }));
  });
}

interface Answer<T> {
  readonly data?: T | null;
  readonly errors?: readonly { message: string; extensions?: { code?: string } }[];
}

function read<T>({ data, errors }: Answer<T>): Outcome<T> {
  const [error] = errors ?? [];
  if (!error && data) return { kind: 'data', data };
  const why = error?.extensions?.code ?? error?.message ?? 'no data';
  return { kind: CODES_WITHOUT_EFFECT.has(why) ? 'refused' : 'unknown', why };
}
