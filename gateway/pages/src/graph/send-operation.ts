import type { GraphError } from './graph-errors.ts';
import { authorization, noteUnauthenticated, sessionToken } from './session-token.ts';

export interface Answer<T> {
  /**
   * Null if the whole operation failed. If only some fields failed, these fields are null, and
   * `errors` contains their paths.
   */
  readonly data: T | null;
  readonly errors: readonly GraphError[];
}

/** The gateway sent no GraphQL response, so it is unknown whether the operation was executed. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
}

/**
 * Time-out in milliseconds. The gateway's time-out for a service is shorter, so the gateway's
 * error, which names the service, arrives first.
 */
const TIMEOUT_MS = 12_000;

/**
 * Sends a query or mutation to the gateway that serves this page. If the gateway has already
 * refused the current token, the function returns that refusal instead of sending the operation.
 * @throws {NoAnswerError} if the gateway is unavailable or sends nothing for 12 s
 */
export async function sendOperation<T>(
  query: string,
  variables: Readonly<Record<string, unknown>> = {},
): Promise<Answer<T>> {
  const { refusal } = sessionToken.get();
  if (refusal !== undefined) {
    return { data: null, errors: [{ message: refusal, extensions: { code: 'UNAUTHENTICATED' } }] };
  }
  const headers = authorization();
  try {
    const response = await fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const { data = null, errors = [] } = (await response.json()) as Partial<Answer<T>>;
    const refused = errors.find(({ extensions }) => extensions?.code === 'UNAUTHENTICATED');
    if (refused) noteUnauthenticated(headers.authorization, refused.message);
    return { data, errors };
  } catch (cause) {
    throw new NoAnswerError('The gateway does not answer', { cause });
  }
}
