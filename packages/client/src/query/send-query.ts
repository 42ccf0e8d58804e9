import { ClientError, type GraphQLErrorLike } from '../client-error.ts';
import type { LiveClientOptions, QueryOptions } from '../live-client.ts';
import { authorization } from '../tokens/authorization.ts';
import type { TokenSource } from '../tokens/token-source.ts';

const DEFAULT_TIMEOUT_MS = 30_000;

export interface QueryContext extends LiveClientOptions {
  readonly fetch: typeof globalThis.fetch;
  readonly tokens: TokenSource;
}

interface Answer {
  readonly data?: unknown;
  readonly errors?: readonly GraphQLErrorLike[];
}

/**
 * Sends a query or mutation. If the server refuses the token, it is sent once more with another token: a
 * refused operation was not executed.
 * @param body the operation and its variables, as JSON
 * @throws {ClientError} if there is no response, or the response has errors
 */
export async function sendQuery(
  context: QueryContext,
  body: string,
  options: QueryOptions = {},
): Promise<unknown> {
  const { tokens } = context;
  const token = await tokens.read('connect');
  try {
    return await post(context, body, options, token);
  } catch (error) {
    const { code, data } = Object(error);
    const isRefused = code === 'UNAUTHENTICATED' && data === null;
    const other = isRefused && token ? await tokens.read('refused') : token;
    if (other === token) throw error;
    return post(context, body, options, other);
  }
}

async function post(
  context: QueryContext,
  body: string,
  { signal, headers }: QueryOptions,
  token: string | null,
): Promise<unknown> {
  const controller = new AbortController();
  const abort = (): void => controller.abort(signal?.reason);
  const timer = setTimeout(
    () => controller.abort(failure('TIMEOUT')),
    context.queryTimeout ?? DEFAULT_TIMEOUT_MS,
  );
  signal?.addEventListener('abort', abort);
  if (signal?.aborted) abort();
  try {
    const response = await context.fetch(context.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...context.headers,
        ...headers,
        ...authorization(token),
      },
      body,
      signal: controller.signal,
    });
    return dataOf(await response.text(), response.status);
  } catch (cause) {
    if (cause instanceof ClientError) throw cause;
    if (controller.signal.aborted) throw controller.signal.reason;
    throw failure('NETWORK_ERROR', cause);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

const failure = (code: string, cause?: unknown): ClientError =>
  new ClientError('The server is unreachable', { code, retryable: true, cause });

function dataOf(text: string, status: number): unknown {
  let answer: Answer | null = null;
  try {
    answer = JSON.parse(text);
  } catch {
    // A proxy has answered; the error below says so.
  }
  const { data = null, errors } = answer ?? {};
  if (errors?.length) throw ClientError.of(errors, { data, status });
  if (data !== null) return data;
  throw new ClientError(`No GraphQL response: ${status}`, {
    code: status === 401 ? 'UNAUTHENTICATED' : 'BAD_RESPONSE',
    status,
    retryable: status >= 500 || status === 429,
  });
}
