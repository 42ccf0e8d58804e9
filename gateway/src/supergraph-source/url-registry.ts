import { readFile } from 'node:fs/promises';
import {
  createBackoff,
  createOutageLog,
  type Logger,
  pause,
  type Stoppable,
  withoutCredentials,
} from '@gudang/runtime';
import { FetchError } from './fetch-error.ts';
import { fetchSupergraph } from './fetch-supergraph.ts';
import { parseHeaderLines } from './header-lines.ts';
import type { Publication } from './kept-copy.ts';
import type { RegistrySink, SupergraphRegistry } from './remote-source.ts';

/** Waits after a failure, in milliseconds: the first, and the maximum unless the interval is longer. */
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;

interface Options {
  /** Addresses of the same supergraph, in the order in which they are tried. */
  readonly urls: readonly string[];
  readonly headers?: ReadonlyMap<string, string> | undefined;
  /** File with further headers, read before each request. */
  readonly headersFile?: string | undefined;
  readonly pollMs: number;
  readonly log: Logger;
}

/** Called for each address that was tried; without an error if it has answered. */
type OnTried = (url: string, error?: FetchError) => void;

/**
 * A web server, an object store or a CDN that answers GET with the supergraph. Requests are
 * conditional by entity tag. A server without entity tags sends the whole supergraph each time.
 */
export function createUrlRegistry(options: Options): SupergraphRegistry {
  const { urls } = options;
  return {
    name: urls.map(withoutCredentials).join(', '),
    addresses: urls.map(withoutPassword),
    fetch: (known) => fetchFrom(options, known, new AbortController().signal),
    watch: (known, sink) => startPolling(options, known, sink),
  };
}

/**
 * Fetches from the first address that answers.
 * @returns undefined if it still has the known supergraph
 * @throws {FetchError} if none answers
 */
async function fetchFrom(
  { urls, headers = new Map(), headersFile }: Options,
  known: Publication | undefined,
  signal: AbortSignal,
  onTried: OnTried = () => {},
): Promise<Publication | undefined> {
  const errors: FetchError[] = [];
  for (const url of urls) {
    // The entity tags of two addresses are unrelated.
    const from = withoutPassword(url);
    const etag = known?.from === from ? known.etag : undefined;
    try {
      const more = headersFile ? await readHeaders(headersFile) : [];
      const all = new Map([...headers, ...more]);
      const fetched = await fetchSupergraph(url, { headers: all, etag, signal });
      onTried(url);
      return fetched && { ...fetched, from };
    } catch (error) {
      if (!(error instanceof FetchError) || signal.aborted) throw error;
      onTried(url, error);
      errors.push(error);
    }
  }
  throw combine(errors);
}

/** A new password does not change the supergraph. The query may name a variant of it. */
function withoutPassword(address: string): string {
  const url = new URL(address);
  url.username = '';
  url.password = '';
  return url.href;
}

async function readHeaders(path: string): Promise<ReadonlyMap<string, string>> {
  try {
    return parseHeaderLines(await readFile(path, 'utf8'));
  } catch (error) {
    const isUnreadable = (error as NodeJS.ErrnoException).code !== undefined;
    const reason = isUnreadable ? 'cannot be read' : `is invalid: ${(error as Error).message}`;
    throw new FetchError(`The file ${path} ${reason}`, {
      retryable: true,
      advice: 'check SUPERGRAPH_HEADERS_FILE',
    });
  }
}

function combine(errors: readonly FetchError[]): FetchError {
  return new FetchError(errors.map(({ message }) => message).join('; '), {
    retryable: errors.some(({ retryable }) => retryable),
    advice: [...new Set(errors.map(({ advice }) => advice))].join('; '),
    retryAfterMs: Math.min(...errors.map(({ retryAfterMs }) => retryAfterMs)),
  });
}

function startPolling(options: Options, first: Publication, sink: RegistrySink): Stoppable {
  const { pollMs } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const logTried = createTriedLog(options);
  const backoff = createBackoff(Math.min(FIRST_RETRY_MS, pollMs), Math.max(MAX_RETRY_MS, pollMs));
  let known = first;

  /** @returns the time until the next poll, in milliseconds */
  const poll = async (): Promise<number> => {
    try {
      const published = await fetchFrom(options, known, signal, logTried);
      backoff.reset();
      if (published) {
        known = published;
        sink.published(published);
      } else sink.unchanged();
      // Replicas that started together should not poll at the same time.
      return pollMs * (0.9 + Math.random() * 0.2);
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      if (!signal.aborted) sink.failed(error);
      return Math.max(backoff.next(), error.retryAfterMs);
    }
  };
  const run = async (): Promise<void> => {
    await pause(Math.min(FIRST_RETRY_MS, pollMs), signal);
    while (!signal.aborted) await pause(await poll(), signal);
  };
  const running = run();

  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

/** Logs the outage of each address, also while another address answers. */
function createTriedLog({ urls, log }: Options): OnTried {
  const outages = new Map(
    urls.map((url) => [
      url,
      createOutageLog(log, {
        what: withoutCredentials(url),
        meanwhile: '; the supergraph in use remains in use',
      }),
    ]),
  );
  return (url, error) => {
    const outage = outages.get(url);
    if (error) outage?.report({ reason: error.message, advice: error.advice });
    else outage?.end();
  };
}
