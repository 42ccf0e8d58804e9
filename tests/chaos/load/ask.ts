import { request } from 'node:http';

/** What came of one request: data, an error of the graph, or no answer. */
export type Outcome<T> =
  | { readonly kind: 'data'; readonly data: T }
  /** It had no effect for certain: it was refused, or never reached the server. */
  | { readonly kind: 'refused'; readonly why: string }
  /** It may have had an effect. */
  | { readonly kind: 'unknown'; readonly why: string };

const WITHIN_MS = 5_000;
/** Codes of answers after which nothing has happened. */
const NOTHING_HAPPENED = new Set(['BAD_USER_INPUT', 'NOT_FOUND', 'IDEMPOTENCY_CONFLICT']);

/**
 * One request over a connection of its own, tried once. Not by fetch: that hides whether a
 * connection was refused or lost.
 */
export function ask<T>(url: string, query: string, variables: object): Promise<Outcome<T>> {
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
        signal: AbortSignal.timeout(WITHIN_MS),
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', fail);
        response.on('end', () => {
          try {
            resolve(read<T>(JSON.parse(Buffer.concat(parts).toString())));
          } catch {
            resolve({ kind: 'unknown', why: `HTTP ${response.statusCode} without JSON` });
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
  return { kind: NOTHING_HAPPENED.has(why) ? 'refused' : 'unknown', why };
}
