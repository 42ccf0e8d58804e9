import { inspect } from 'node:util';
import { CloseCode, createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { eventually, type Patience } from '../eventually.ts';
import type { GraphError } from './graph-client.ts';

type Variables = Readonly<Record<string, unknown>>;

// biome-ignore lint/suspicious/noExplicitAny: events of any shape, asserted on by the test
export interface LiveEvent<T = any> {
  readonly data?: T | null;
  readonly errors?: readonly GraphError[];
  readonly extensions?: {
    /** Number of older events of the same key that this event replaces. */
    readonly live?: { readonly conflated?: number; readonly snapshot?: unknown };
  };
  /** Time of arrival, by performance.now(). */
  readonly at: number;
}

export interface LiveOptions<T> {
  /** HTTP or websocket URL of the graph; a function if it may change. */
  readonly url: string | (() => string);
  readonly query: string;
  readonly variables?: Variables;
  readonly extensions?: Readonly<Record<string, unknown>>;
  /** More parameters of `connection_init`. */
  readonly connectionParams?: Readonly<Record<string, unknown>>;
  /** The caller's token, `Bearer <token>`. */
  readonly authorization?: string | undefined;
  /**
   * Returns the variables for a reconnect, given the last event; for example, the event's cursor.
   * With this function, the client reconnects indefinitely. Without it, a lost connection ends the
   * client.
   */
  readonly resume?: (last: T | undefined) => Variables;
}

// biome-ignore lint/suspicious/noExplicitAny: as above
export interface LiveClient<T = any> {
  /** All events so far, in order. */
  readonly events: readonly LiveEvent<T>[];
  /** The data of all events so far. */
  readonly seen: () => readonly T[];
  /** Number of connections made. */
  readonly connections: () => number;
  /** All errors so far: those in events, and those that ended the stream. */
  readonly errors: () => readonly GraphError[];
  /** Whether the server completed the stream. */
  readonly completed: () => boolean;
  /** Resolves to the first matching event, received before or after the call. */
  readonly waitFor: (fits: (data: T) => boolean, patience?: Patience) => Promise<LiveEvent<T>>;
  /** Resolves once the stream ended, with or without errors. */
  readonly ended: (patience?: Patience) => Promise<void>;
  readonly close: () => Promise<void>;
}

/**
 * Starts one operation over graphql-transport-ws and records its events; resolves once connected.
 */
// biome-ignore lint/suspicious/noExplicitAny: as above
export async function startLiveClient<T = any>(options: LiveOptions<T>): Promise<LiveClient<T>> {
  const { url, query, resume, authorization } = options;
  const events: LiveEvent<T>[] = [];
  let connections = 0;
  let completed = false;
  let endedWith: readonly GraphError[] | undefined;
  let lost: unknown;
  const client = createClient({
    url: () => (typeof url === 'string' ? url : url()).replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    connectionParams: { ...options.connectionParams, ...(authorization ? { authorization } : {}) },
    lazy: false,
    onNonLazyError: () => {},
    retryAttempts: resume ? Number.POSITIVE_INFINITY : 0,
    shouldRetry: () => resume !== undefined,
    retryWait: () => new Promise((resolve) => setTimeout(resolve, 100)),
    on: {
      connected: () => {
        connections += 1;
      },
    },
  });
  // graphql-ws sends the same payload object again after a reconnect, so this code updates the
  // variables in that object.
  const payload = {
    query,
    variables: { ...options.variables } as Record<string, unknown>,
    ...(options.extensions ? { extensions: { ...options.extensions } } : {}),
  };
  const unsubscribe = client.subscribe<T>(payload, {
    next: (result) => {
      events.push({ ...result, at: performance.now() } as LiveEvent<T>);
      if (resume && result.data) payload.variables = { ...resume(result.data) };
    },
    error: (error) => {
      if (Array.isArray(error)) endedWith = error as readonly GraphError[];
      else lost = error;
    },
    complete: () => {
      completed = true;
    },
  });
  const isOver = (): boolean => completed || endedWith !== undefined || lost !== undefined;
  const describeState = (): string =>
    inspect(
      { connections, completed, endedWith, lost: describeLoss(lost), last: events.slice(-3) },
      { depth: 6, breakLength: 120 },
    );

  const live: LiveClient<T> = {
    events,
    seen: () => events.flatMap(({ data }) => (data ? [data] : [])),
    connections: () => connections,
    errors: () => [...events.flatMap((event) => event.errors ?? []), ...(endedWith ?? [])],
    completed: () => completed,
    waitFor: async (fits, { until = 'an event matches', ...patience } = {}) => {
      const find = () => events.find(({ data }) => data != null && fits(data));
      // `over` must be read before `found`. If `found` were read first, an event that arrives
      // between the two reads would be missed.
      const { found } = await eventually(
        () => ({ over: isOver(), found: find(), live: describeState() }),
        ({ over, found }) => over || found !== undefined,
        { until, every: 5, ...patience },
      );
      if (!found) throw new Error(`The stream ended before ${until}: ${describeState()}`);
      return found;
    },
    ended: async (patience) => {
      await eventually(
        () => ({ over: isOver(), live: describeState() }),
        ({ over }) => over,
        { until: 'the stream ends', every: 5, ...patience },
      );
    },
    close: async () => {
      unsubscribe();
      // `dispose` rejects if a connection attempt has just failed. The client is closed anyway.
      await Promise.resolve(client.dispose()).catch(() => {});
    },
  };
  await eventually(
    () => ({ connections, lost: describeLoss(lost) }),
    (state) => state.connections > 0 || lost !== undefined,
    { until: 'the websocket is open', every: 5 },
  ).catch(async (error: unknown) => {
    await live.close();
    throw error;
  });
  return live;
}

function describeLoss(lost: unknown): string | undefined {
  if (lost === undefined) return undefined;
  const { code, reason, message } = lost as { code?: number; reason?: string; message?: string };
  if (code === undefined) return message ?? String(lost);
  return `closed with ${code} ${CloseCode[code] ?? reason ?? ''}`.trim();
}
