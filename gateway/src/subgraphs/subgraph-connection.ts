import { setImmediate as nextIteration } from 'node:timers/promises';
import { SECRET_HEADER } from '@gudang/auth';
import type { Stoppable } from '@gudang/runtime';
import { Pool } from 'undici';
import type { SelectReturned } from '../headers/returned-headers.ts';
import { LARGE_BYTES } from '../limits/answer-bytes.ts';
import type { AbortSignalLike } from '../request-deduplication/abort-signal.ts';
import { type CountBytes, sendRequest } from './http-request.ts';
import { parseSharedAnswer, type SharedAnswer } from './subgraph-answer.ts';
import { InvalidAnswerError, isClosed, QueueFullError } from './subgraph-failure.ts';

/** Maximum number of connections to one subgraph. Further requests wait for a connection. */
const CONNECTIONS = 64;
/**
 * Maximum number of requests that wait for a connection. Further requests are rejected, because the
 * subgraph is overloaded.
 */
const MAX_WAITING = 2_000;
/**
 * Time after which an idle connection is closed, in milliseconds. It is shorter than the default of the
 * subgraphs' DRAIN_MS: a subgraph that shuts down has therefore answered with `connection: close` on every
 * connection that is still open when it closes them. Otherwise a mutation that is sent in this moment
 * would be lost, because it cannot be repeated.
 */
const IDLE_MS = 400;

type Headers = Readonly<Record<string, string>>;

/** The pool of HTTP connections to one subgraph. */
export interface SubgraphConnection extends Stoppable {
  /**
   * Sends a GraphQL request once.
   * @throws {QueueFullError} @throws {InvalidAnswerError} @throws {TimeoutError}
   * @throws {AbortedError} @throws {RefusedError} @throws undici's errors of the connection
   */
  readonly post: (
    body: string,
    headers: Headers,
    options: { readonly count: CountBytes; readonly signal?: AbortSignalLike | undefined },
  ) => Promise<SharedAnswer>;
  /**
   * Like `post`, but sends the request again if the subgraph has closed an idle connection. Do not
   * use it for mutations.
   */
  readonly postIdempotent: SubgraphConnection['post'];
  /** Closes the connections once all requests have been answered. */
  readonly finish: () => Promise<void>;
}

/**
 * Creates the pool of connections to one subgraph.
 * @param secret proves to the subgraph that the gateway sent a request
 * @param select selects the headers that clients receive; undefined if there are none
 */
export function createSubgraphConnection(
  url: string,
  secret: string | undefined,
  timeoutMs: number,
  select?: SelectReturned,
): SubgraphConnection {
  const { origin, pathname, search } = new URL(url);
  const pool = new Pool(origin, {
    connections: CONNECTIONS,
    keepAliveTimeout: IDLE_MS,
    // Applies when the subgraph announces a longer time.
    keepAliveMaxTimeout: IDLE_MS,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    connect: { timeout: Math.min(timeoutMs, 5_000) },
  });
  const fixed = {
    'content-type': 'application/json',
    accept: 'application/json',
    ...(secret === undefined ? {} : { [SECRET_HEADER]: secret }),
  };
  let requests = 0;

  const post: SubgraphConnection['post'] = async (body, headers, { count, signal }) => {
    if (requests >= CONNECTIONS + MAX_WAITING) throw new QueueFullError();
    requests += 1;
    const reply = await sendRequest(
      pool,
      { method: 'POST', path: pathname + search, headers: { ...headers, ...fixed }, body },
      {
        ms: timeoutMs,
        signal,
        count,
        onReleased: () => {
          requests -= 1;
        },
      },
    );
    if (reply.bytes > LARGE_BYTES) await nextIteration();
    try {
      return parseSharedAnswer(reply, select);
    } catch (error) {
      throw new InvalidAnswerError(`HTTP ${reply.statusCode}: ${(error as Error).message}`);
    }
  };

  return {
    post,
    postIdempotent: async (body, headers, options) => {
      try {
        return await post(body, headers, options);
      } catch (error) {
        // The subgraph has just closed an idle connection. No part of an answer has arrived, so the
        // request can be repeated.
        if (!isClosed(error)) throw error;
        return post(body, headers, options);
      }
    },
    finish: () => pool.close(),
    stop: () => pool.destroy(),
  };
}
