import { setImmediate as nextIteration } from 'node:timers/promises';
import { SECRET_HEADER } from '@gudang/auth';
import type { Stoppable } from '@gudang/runtime';
import { Pool } from 'undici';
import type { SelectReturned } from '../headers/returned-headers.ts';
import { LARGE_BYTES } from '../limits/answer-bytes.ts';
import type { AbortSignalLike } from '../request-deduplication/abort-signal.ts';
import { type CountBytes, sendRequest } from './http-request.ts';
import { parseSharedAnswer, type SharedAnswer } from './subgraph-answer.ts';
import { InvalidAnswerError, QueueFullError } from './subgraph-failure.ts';
import type { SubgraphLimits } from './subgraph-limits.ts';

/**
 * Time after which an idle connection is closed, in milliseconds. It is shorter than the default of the
 * subgraphs' DRAIN_MS: a subgraph that shuts down has therefore answered with `connection: close` on every
 * connection that is still open when it closes them. Otherwise a mutation that is sent in this moment
 * would be lost, because it cannot be repeated.
 */
const IDLE_MS = 400;

type Headers = Readonly<Record<string, string>>;

export interface PostOptions {
  /** Time-out in milliseconds. */
  readonly ms: number;
  readonly count: CountBytes;
  readonly signal?: AbortSignalLike | undefined;
}

/** The pool of HTTP connections to one subgraph. */
export interface SubgraphConnection extends Stoppable {
  /**
   * Sends a GraphQL request once.
   * @throws {QueueFullError} @throws {InvalidAnswerError} @throws {TimeoutError}
   * @throws {AbortedError} @throws {RefusedError} @throws undici's errors of the connection
   */
  readonly post: (body: string, headers: Headers, options: PostOptions) => Promise<SharedAnswer>;
  /** Requests that have a connection, and requests that wait for one. */
  readonly load: () => { readonly running: number; readonly waiting: number };
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
  { timeoutMs, sockets, queue }: Pick<SubgraphLimits, 'timeoutMs' | 'sockets' | 'queue'>,
  select?: SelectReturned,
): SubgraphConnection {
  const { origin, pathname, search } = new URL(url);
  const pool = new Pool(origin, {
    connections: sockets,
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

  const post: SubgraphConnection['post'] = async (body, headers, { ms, count, signal }) => {
    if (requests >= sockets + queue) throw new QueueFullError();
    requests += 1;
    const reply = await sendRequest(
      pool,
      { method: 'POST', path: pathname + search, headers: { ...headers, ...fixed }, body },
      {
        ms,
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
      throw new InvalidAnswerError(reply.statusCode, (error as Error).message);
    }
  };

  return {
    post,
    load: () => {
      const running = Math.min(requests, sockets);
      return { running, waiting: requests - running };
    },
    finish: () => pool.close(),
    stop: () => pool.destroy(),
  };
}
