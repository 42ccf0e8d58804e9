import '../quiet-apollo.ts';
import { UplinkSupergraphManager } from '@apollo/gateway';
import { createOutageLog, type Logger, type Stoppable } from '@gudang/runtime';
import { FetchError } from './fetch-error.ts';
import { exchange, exchangeWithin, readText } from './http-exchange.ts';
import type { Publication } from './kept-copy.ts';
import type { RegistrySink, SupergraphRegistry } from './remote-source.ts';

/** Minimum polling interval of Apollo's manager, in milliseconds. */
const MIN_POLL_MS = 10_000;

type ManagerOptions = ConstructorParameters<typeof UplinkSupergraphManager>[0];
type Fetcher = NonNullable<ManagerOptions['fetcher']>;

interface Options {
  readonly apiKey: string;
  readonly graphRef: string;
  /** Addresses of the uplink. Default: Apollo's */
  readonly endpoints?: readonly string[] | undefined;
  readonly pollMs: number;
  readonly log: Logger;
}

/**
 * GraphOS's uplink, by the manager of @apollo/gateway. The manager keeps the identifier of the last
 * supergraph, as an entity tag, and changes the address after a failure. GraphOS may ask for a longer
 * interval.
 */
export function createGraphosRegistry(options: Options): SupergraphRegistry {
  return {
    name: nameOf(options),
    addresses: [addressOf(options)],
    fetch: async () => {
      const stopping = new AbortController();
      const manager = createManager(options, stopping.signal, {});
      try {
        const { supergraphSdl, cleanup } = await manager.initialize(withoutUpdates(() => {}));
        await cleanup();
        return { sdl: supergraphSdl, from: addressOf(options) };
      } catch (error) {
        throw toFetchError(error);
      }
    },
    watch: (known, sink) => startWatch(options, known, sink),
  };
}

const nameOf = ({ graphRef }: Options): string => `${graphRef} in GraphOS`;

const addressOf = ({ graphRef }: Options): string => `graphos:${graphRef}`;

/** Apollo's errors contain neither the key nor the address. */
function toFetchError(error: unknown): FetchError {
  if (error instanceof FetchError) return error;
  return new FetchError(error instanceof Error ? error.message : String(error), {
    retryable: true,
    advice: 'check APOLLO_KEY and APOLLO_GRAPH_REF, and whether GraphOS can be reached',
  });
}

function startWatch(options: Options, known: Publication, sink: RegistrySink): Stoppable {
  const stopping = new AbortController();
  const outage = createOutageLog(options.log, {
    what: nameOf(options),
    meanwhile: '; the supergraph in use remains in use',
  });
  let hasFailed = false;
  const fail = (error: unknown): void => {
    if (stopping.signal.aborted) return;
    hasFailed = true;
    const problem = toFetchError(error);
    outage.report({ reason: problem.message, advice: problem.advice });
    sink.failed(problem);
  };
  const publish = (sdl: string): void => sink.published({ sdl, from: addressOf(options) });
  const manager = createManager(options, stopping.signal, {
    onFailureToFetchSupergraphSdlDuringInit: async ({ error }) => {
      fail(error);
      return known.sdl;
    },
    onFailureToFetchSupergraphSdlAfterInit: async ({ error }) => {
      fail(error);
      return null;
    },
  });
  /** Reports the result of each fetch; `publish` has reported a changed supergraph before. */
  const follow = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      if (!hasFailed) {
        outage.end();
        sink.unchanged();
      }
      hasFailed = false;
      await manager.nextFetch();
    }
  };
  const running = manager.initialize(withoutUpdates(publish)).then(({ supergraphSdl, cleanup }) => {
    if (!hasFailed) publish(supergraphSdl);
    void follow();
    return cleanup;
  });

  return {
    stop: async () => {
      stopping.abort();
      const cleanup = await running.catch(() => undefined);
      await cleanup?.();
    },
  };
}

function createManager(
  { apiKey, graphRef, endpoints, pollMs, log }: Options,
  signal: AbortSignal,
  more: Partial<ManagerOptions>,
): UplinkSupergraphManager {
  const debug = (message?: unknown): void => log.debug(message);
  return new UplinkSupergraphManager({
    apiKey,
    graphRef,
    ...(endpoints ? { uplinkEndpoints: [...endpoints] } : {}),
    ...(pollMs > MIN_POLL_MS ? { fallbackPollIntervalInMs: pollMs } : {}),
    // One attempt per address. The next poll is the next attempt.
    maxRetries: (endpoints?.length ?? 2) - 1,
    fetcher: createFetcher(signal),
    logger: { debug, info: debug, warn: debug, error: debug },
    ...more,
  });
}

/**
 * Limits the time and the size of a response: the manager itself limits only the time until the
 * headers have arrived.
 */
function createFetcher(signal: AbortSignal): Fetcher {
  const shown = 'GraphOS’s uplink';
  const send: Fetcher = (url, { headers = {}, body = '' } = {}) =>
    exchangeWithin(shown, { signal }, async (within) => {
      const request = { method: 'POST', headers, body: String(body), signal: within } as const;
      const response = await exchange(new URL(url), request);
      const text = await readText(shown, response);
      return new Response(text, { status: response.statusCode });
    }) as never;
  return async (url, init) => {
    try {
      if (!signal.aborted) return await send(url, init);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    // The manager repeats a failed request, and cannot be stopped meanwhile.
    return Response.json(UNCHANGED) as never;
  };
}

const UNCHANGED = { data: { routerConfig: { __typename: 'Unchanged' } } };

/** Options of the manager's start; the health check of subgraphs is off. */
function withoutUpdates(update: (sdl: string) => void) {
  return {
    update,
    healthCheck: async () => {},
    getDataSource: () => {
      throw new Error('The subgraphs are not checked');
    },
  };
}
