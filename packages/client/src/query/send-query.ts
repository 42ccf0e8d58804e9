import { ClientError, type GraphQLErrorLike } from '../client-error.ts';
import type { QueryOptions } from '../live-client.ts';
import { authorization } from '../tokens/authorization.ts';
import type { TokenSource } from '../tokens/token-source.ts';

const DEFAULT_TIMEOUT_MS = 30_000;

/** Aborts a request with an error. */
export type Abort = (reason: unknown) => void;

export interface QueryRequest extends QueryOptions {
  readonly url: string;
  readonly fetch: typeof globalThis.fetch;
  readonly tokens: TokenSource;
  /** The requests in flight. */
  readonly aborts: Set<Abort>;
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
  const { tokens } = request;
  const token = await tokens.read('connect');
  try {
    return await post(request, token);
  } catch (error) {
    const isRefused =
      error instanceof ClientError && error.code === 'UNAUTHENTICATED' && error.data === null;
    const other = isRefused && token ? await tokens.read('refused') : token;
    if (other === token) throw error;
    return post(request, other);
  }
}

async function post(request: QueryRequest, token: string | null): Promise<unknown> {
  const { url, headers, body, signal, aborts, timeout = DEFAULT_TIMEOUT_MS } = request;
  const controller = new AbortController();
  const abort: Abort = (reason) => controller.abort(reason);
  const onSignal = (): void => abort(signal?.reason);
  const onTimeout = (): void => abort(new ClientError('The server does not answer', TIMED_OUT));
  const timer = setTimeout(onTimeout, timeout);
  aborts.add(abort);
  signal?.addEventListener('abort', onSignal);
  if (signal?.aborted) onSignal();
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
    throw new ClientError('The server cannot be reached', { ...UNREACHABLE, cause });
  } finally {
    clearTimeout(timer);
    aborts.delete(abort);
    signal?.removeEventListener('abort', onSignal);
  }
}

const TIMED_OUT = { code: 'TIMEOUT', retryable: true };
const UNREACHABLE = { code: 'NETWORK_ERROR', retryable: true };

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
  throw new ClientError(`The server has sent no GraphQL response (status ${status})`, {
    code: status === 401 ? 'UNAUTHENTICATED' : 'BAD_RESPONSE',
    status,
    retryable: status >= 500 || status === 429,
  });
}
