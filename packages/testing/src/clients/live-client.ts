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
    /** How many older events of its key this one stands for, beside itself. */
    readonly live?: { readonly conflated?: number };
  };
  /** When it came, by performance.now(). */
  readonly at: number;
}

export interface LiveOptions<T> {
  /** The address of the graph over HTTP or websocket; a function where it may change. */
  readonly url: string | (() => string);
  readonly query: string;
  readonly variables?: Variables;
  /** `Bearer <token>`, of whoever watches. */
  readonly authorization?: string | undefined;
  /**
   * Comes back after a lost connection, for ever, with what this makes of the last event: such as
   * the cursor to go on from. Absent: a lost connection ends the client.
   */
  readonly resume?: (last: T | undefined) => Variables;
}

// biome-ignore lint/suspicious/noExplicitAny: as above
export interface LiveClient<T = any> {
  /** All that came so far, in order. */
  readonly events: readonly LiveEvent<T>[];
  /** The data of the events. */
  readonly seen: () => readonly T[];
  /** How often a connection was made. */
  readonly connections: () => number;
  /** All errors so far: those beside an event's data, and those that it ended with. */
  readonly errors: () => readonly GraphError[];
  /** Whether the server said that it is over. */
  readonly completed: () => boolean;
  /** The first event that fits, one that came already or one to come. */
  readonly waitFor: (fits: (data: T) => boolean, patience?: Patience) => Promise<LiveEvent<T>>;
  /** Resolves once it ended, with or without errors. */
  readonly ended: (patience?: Patience) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** One operation over graphql-transport-ws, with all its events kept. Resolves once connected. */
// biome-ignore lint/suspicious/noExplicitAny: as above
export async function startLive<T = any>(options: LiveOptions<T>): Promise<LiveClient<T>> {
  const { url, query, resume, authorization } = options;
  const events: LiveEvent<T>[] = [];
  let connections = 0;
  let completed = false;
  let endedWith: readonly GraphError[] | undefined;
  let lost: unknown;
  const client = createClient({
    url: () => (typeof url === 'string' ? url : url()).replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    connectionParams: authorization === undefined ? {} : { authorization },
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
  // graphql-ws sends the very same payload again after a lost connection: it is kept up to date.
  const payload: { query: string; variables: Record<string, unknown> } = {
    query,
    variables: { ...options.variables },
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
  const described = (): string =>
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
    waitFor: async (fits, { until = 'an event fits', ...patience } = {}) => {
      const find = () => events.find(({ data }) => data != null && fits(data));
      // An event between the last look and the end counts: the end is looked at first.
      const { found } = await eventually(
        () => ({ over: isOver(), found: find(), live: described() }),
        ({ over, found }) => over || found !== undefined,
        { until, every: 5, ...patience },
      );
      if (!found) throw new Error(`The stream ended before ${until}: ${described()}`);
      return found;
    },
    ended: async (patience) => {
      await eventually(
        () => ({ over: isOver(), live: described() }),
        ({ over }) => over,
        { until: 'the stream ends', every: 5, ...patience },
      );
    },
    close: async () => {
      unsubscribe();
      // It rejects when it was just connecting and could not: closed is closed.
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
