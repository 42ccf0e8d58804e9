import { createBackoff, type Logger, pause, type Stoppable } from '@gudang/runtime';
import type { FormattedExecutionResult, GraphQLFormattedError } from 'graphql';
import { createClient } from 'graphql-ws';
import type { UpstreamRequest, UpstreamSink } from './upstream-sink.ts';
import { UpstreamSocket } from './upstream-socket.ts';

/** How long a connection that nobody uses is kept for the next stream, in milliseconds. */
const LINGER_MS = 2_000;
const PING_EVERY_MS = 10_000;
const PONG_WITHIN_MS = 5_000;
const ACK_WITHIN_MS = 5_000;
/** A connection counts as back after so long: one that breaks at once again never was. */
const SETTLED_MS = 1_000;

/** One graphql-transport-ws connection to a subgraph, for all streams from it. */
export interface SubgraphLink extends Stoppable {
  /** Returns how to close the stream; nothing reaches the sink afterwards. */
  readonly subscribe: (request: UpstreamRequest, sink: UpstreamSink) => () => void;
  readonly streams: () => number;
  /** Whether the subgraph tells the positions of its streams. */
  readonly tells: () => boolean;
}

interface LinkedStream {
  readonly sink: UpstreamSink;
  id: string;
  readonly giveUp: () => void;
  readonly close: () => void;
  deadline?: NodeJS.Timeout | undefined;
}

/**
 * Connects when the first stream wants it. A lost connection is made again with growing, varied
 * waits, and every stream subscribes again on it; one that waits longer than the limit ends with
 * an error.
 */
export function startSubgraphLink({
  name,
  wsUrl,
  params,
  reconnectLimitMs,
  log,
  onUnused,
}: {
  name: string;
  wsUrl: string;
  /** The payload of `connection_init`. */
  params: Record<string, unknown>;
  reconnectLimitMs: number;
  log: Logger;
  /** The last stream has been closed. */
  onUnused: () => void;
}): SubgraphLink {
  const streams = new Set<LinkedStream>();
  const byId = new Map<string, LinkedStream>();
  let lastId = 0;
  let tells = false;
  const backoff = createBackoff(100, 5_000);
  const stopping = new AbortController();
  let connected = false;
  let settled: NodeJS.Timeout | undefined;
  let pong: NodeJS.Timeout | undefined;
  let refused: Promise<void> | undefined;

  const waitFor = (stream: LinkedStream): void => {
    stream.deadline ??= setTimeout(stream.giveUp, reconnectLimitMs);
  };
  const found = (stream: LinkedStream): void => {
    clearTimeout(stream.deadline);
    stream.deadline = undefined;
  };
  const settle = (): void => {
    clearTimeout(settled);
    settled = undefined;
    backoff.reset();
    for (const stream of streams) found(stream);
  };
  const lost = (): void => {
    clearTimeout(settled);
    settled = undefined;
    clearTimeout(pong);
    if (connected && streams.size > 0 && !stopping.signal.aborted) {
      log.warn({ subgraph: name, streams: streams.size }, `the live connection to ${name} is lost`);
    }
    connected = false;
    for (const stream of streams) waitFor(stream);
  };

  const told = (cursors: unknown): void => {
    if (typeof cursors !== 'object' || cursors === null) return;
    tells = true;
    for (const [id, cursor] of Object.entries(cursors)) {
      if (typeof cursor === 'string' || cursor === null) byId.get(id)?.sink.position(cursor);
    }
  };

  const client = createClient({
    url: wsUrl,
    connectionParams: params,
    generateID: () => {
      lastId += 1;
      return String(lastId);
    },
    webSocketImpl: UpstreamSocket,
    lazyCloseTimeout: LINGER_MS,
    connectionAckWaitTimeout: ACK_WITHIN_MS,
    keepAlive: PING_EVERY_MS,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => !stopping.signal.aborted,
    retryWait: () => pause(backoff.next(), stopping.signal),
    on: {
      connected: () => {
        connected = true;
        settled = setTimeout(settle, SETTLED_MS);
      },
      closed: lost,
      error: lost,
      ping: (received, payload) => {
        if (received) told(payload?.['cursors']);
        else pong = setTimeout(() => client.terminate(), PONG_WITHIN_MS);
      },
      pong: (received) => {
        if (received) clearTimeout(pong);
      },
    },
  });

  return {
    streams: () => streams.size,
    tells: () => tells,
    subscribe: (request, sink) => {
      let leave = (): void => {};
      const stream: LinkedStream = {
        sink,
        id: '',
        close: () => {
          if (!streams.delete(stream)) return;
          byId.delete(stream.id);
          found(stream);
          leave();
          if (streams.size === 0 && !stopping.signal.aborted) onUnused();
        },
        giveUp: () => {
          stream.close();
          sink.error([awayTooLong(name, reconnectLimitMs)]);
        },
      };
      // graphql-ws sends this very object whenever it subscribes again.
      const payload = {
        query: request.query,
        operationName: request.operationName,
        ...(request.extensions ? { extensions: { ...request.extensions } } : {}),
        get variables() {
          return { ...request.variables() };
        },
      };
      const subscribe = (): void => {
        byId.delete(stream.id);
        stream.id = String(lastId + 1);
        byId.set(stream.id, stream);
        leave = client.subscribe(payload, {
          next: (event) => {
            if (!streams.has(stream)) return;
            if (settled) settle();
            sink.next(event as FormattedExecutionResult);
          },
          error: (reason) => {
            if (!streams.has(stream)) return;
            if (!Array.isArray(reason)) return void subscribeAgain(reason);
            stream.close();
            sink.error(reason as GraphQLFormattedError[]);
          },
          complete: () => {
            if (!streams.has(stream)) return;
            stream.close();
            sink.complete();
          },
        });
      };
      // graphql-ws's client gives up by itself after some close codes, such as 4500 and 1011.
      const subscribeAgain = async (reason: unknown): Promise<void> => {
        log.debug({ subgraph: name, err: reason }, `the live connection to ${name} was refused`);
        waitFor(stream);
        // One wait for all streams of the connection, or each of them would double it.
        refused ??= pause(backoff.next(), stopping.signal).finally(() => {
          refused = undefined;
        });
        await refused;
        if (streams.has(stream)) subscribe();
      };
      streams.add(stream);
      if (!connected) waitFor(stream);
      subscribe();
      return stream.close;
    },
    stop: async () => {
      stopping.abort();
      for (const stream of [...streams]) stream.close();
      lost();
      const disposed = Promise.resolve(client.dispose());
      if (!connected) client.terminate();
      await disposed.catch(() => {});
    },
  };
}

function awayTooLong(name: string, limitMs: number): GraphQLFormattedError {
  return {
    message: `The stream ended: the subgraph ${name} has been away for longer than ${limitMs / 1000} s; subscribe again later`,
    extensions: { code: 'UNAVAILABLE', retryable: true, serviceName: name },
  };
}
