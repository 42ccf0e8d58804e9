import { ClientError, type GraphQLErrorLike } from '../client-error.ts';
import type { QueryOptions } from '../live-client.ts';
import { authorization } from '../tokens/authorization.ts';
import type { TokenSource } from '../tokens/token-source.ts';

const DEFAULT_TIMEOUT_MS = 30_000;

export interface QueryRequest extends QueryOptions {
  readonly url: string;
  readonly fetch: typeof globalThis.fetch;
  readonly tokens: TokenSource;
  /** Aborts when the client is closed. */
  readonly closed: AbortSignal;
  readonly timeout?: number | undefined;
  readonly body: { readonly query: string; readonly variables?: unknown };
}

interface Answer {
  readonly data?: unknown;
  readonly errors?: readonly GraphQLErrorLike[];
}

/**
 * Sends a query or mutation. If the server refuses the token, it is sent once more with another token: a
 * refused operation was not executed.
 * @throws {ClientError} if there is no response, or the response has errors
 */
export async function sendQuery(request: QueryRequest): Promise<unknown> {
  const token = await request.tokens.read('connect');
  try {
    return await post(request, token);
  } catch (error) {
    if (!(error instanceof ClientError) || error.code !== 'UNAUTHENTICATED') throw error;
    if (token === null || error.data !== null) throw error;
    const other = await request.tokens.read('refused');
    if (other === token) throw error;
    return await post(request, other);
  }
}

async function post(request: QueryRequest, token: string | null): Promise<unknown> {
  const { url, headers, body, signal, closed, timeout = DEFAULT_TIMEOUT_MS } = request;
  const controller = new AbortController();
  const abort = ({ target }: Event): void => controller.abort((target as AbortSignal).reason);
  const timer = setTimeout(
    () => controller.abort(new ClientError('The server does not answer', TIMED_OUT)),
    timeout,
  );
  const sources = signal ? [signal, closed] : [closed];
  for (const source of sources) {
    if (source.aborted) controller.abort(source.reason);
    source.addEventListener('abort', abort);
  }
  try {
    const response = await request.fetch(url, {
      method: 'POST',
      headers: {
        accept: 'application/graphql-response+json, application/json',
        'content-type': 'application/json',
        ...headers,
        ...authorization(token),
      },
      body: JSON.stringify(body),
      signal: controller.signal,
    });
    return dataOf(await response.text(), response.status);
  } catch (cause) {
    if (cause instanceof ClientError) throw cause;
    if (controller.signal.aborted) throw controller.signal.reason;
    throw new ClientError('The server cannot be reached', {
      code: 'NETWORK_ERROR',
      retryable: true,
      cause,
    });
  } finally {
    clearTimeout(timer);
    for (const source of sources) source.removeEventListener('abort', abort);
  }
}

const TIMED_OUT = { code: 'TIMEOUT', retryable: true } as const;

function dataOf(text: string, status: number): unknown {
  let answer: Answer = {};
  try {
    answer = JSON.parse(text) ?? answer;
  } catch {
    // A proxy has answered; the error below says so.
  }
  const { data, errors } = answer;
  if (errors?.length) throw ClientError.of(errors, { data, status });
  if (data !== undefined && data !== null) return data;
  const code = status === 401 ? 'UNAUTHENTICATED' : 'BAD_RESPONSE';
  const message = `The server has sent no GraphQL response (status ${status})`;
  throw new ClientError(message, { code, status, retryable: status >= 500 || status === 429 });
}
