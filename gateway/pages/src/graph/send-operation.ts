import type { GraphError } from './graph-errors.ts';
import { tokenToSend } from './session-token.ts';

interface Answer<T> {
  readonly data: T | null;
  readonly errors: readonly GraphError[];
}

/** Time-out in milliseconds. */
const TIMEOUT_MS = 12_000;

/**
 * Sends a query from a page without live data, which would not use the rest of the client.
 * @param token the token to send; null for none. Default: the token of this tab
 * @throws if the gateway is unavailable or sends nothing for 12 s
 */
export async function sendOperation<T>(
  query: string,
  token: string | null = tokenToSend(),
): Promise<Answer<T>> {
  const response = await fetch('/graphql', {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const { data = null, errors = [] } = (await response.json()) as Partial<Answer<T>>;
  return { data, errors };
}
