import {
  createBackoff,
  type Health,
  type Logger,
  type Metrics,
  pause,
  StartError,
  type Stoppable,
} from '@gudang/runtime';
import { type LoadedSupergraph, parseSupergraph } from '../supergraph.ts';
import { AppliedSupergraph, type UseSupergraph } from './applied-supergraph.ts';
import { FetchError } from './fetch-error.ts';
import type { KeptCopy, Publication } from './kept-copy.ts';
import type { SupergraphSource } from './supergraph-source.ts';

/** Attempts at the start if there is no copy, and the first wait between them in milliseconds. */
const START_ATTEMPTS = 3;
const START_WAIT_MS = 1_000;

/** Receives what a registry publishes. */
export interface RegistrySink {
  /** A supergraph that differs from the last one, or may differ. */
  readonly published: (publication: Publication) => void;
  /** The registry answers, and has nothing new. */
  readonly unchanged: () => void;
  readonly failed: (error: FetchError) => void;
}

/** A server that publishes the supergraph. */
export interface SupergraphRegistry {
  /** Name for logs and errors, without credentials. */
  readonly name: string;
  /** Values that `from` of a publication may have. They may contain a signature. */
  readonly addresses: readonly string[];
  /**
   * Fetches the supergraph once.
   * @returns undefined if it is still `known`
   * @throws {FetchError}
   */
  readonly fetch: (known: Publication | undefined) => Promise<Publication | undefined>;
  /** Reports changes and failures until it is stopped. */
  readonly watch: (known: Publication, sink: RegistrySink) => Stoppable;
}

interface Options {
  readonly registry: SupergraphRegistry;
  readonly copy: KeptCopy;
  /** @throws {StartError} if a supergraph cannot be used with the gateway's settings */
  readonly assertUsable: (supergraph: LoadedSupergraph) => void;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** First wait between the attempts at the start, in milliseconds. */
  readonly startWaitMs?: number;
}

/** The supergraph with which the gateway starts. */
interface Found {
  readonly supergraph: LoadedSupergraph;
  /** The publication of this supergraph. */
  readonly used: Publication;
  /** The newest publication, if it cannot be used. */
  readonly refused?: Publication;
  /** Why the registry did not answer. */
  readonly outage?: FetchError;
}

/**
 * Loads the supergraph from a registry, and applies its changes. The last supergraph that could be
 * used is kept on the disk. The gateway starts with this copy if the registry is unavailable, or if
 * the published supergraph cannot be used.
 * @throws {StartError} if there is neither a usable supergraph nor a copy
 */
export async function loadFromRegistry(options: Options): Promise<SupergraphSource> {
  const found = await findFirst(options);
  return { supergraph: found.supergraph, start: (use) => startRegistry(options, found, use) };
}

function startRegistry(
  { registry, copy, health, metrics, log }: Options,
  { supergraph, used, refused, outage }: Found,
  use: UseSupergraph,
): Stoppable {
  const { name } = registry;
  const current = supergraph.sdl;
  const applied = new AppliedSupergraph({ name, current, use, health, metrics, log });
  let saving = copy.save(used);
  const published = (publication: Publication): void => {
    applied.setOutage(undefined);
    if (applied.offer(publication.sdl)) saving = saving.then(() => copy.save(publication));
  };
  if (refused) published(refused);
  applied.setOutage(outage?.message);
  const watch = registry.watch(refused ?? used, {
    published,
    unchanged: () => applied.setOutage(undefined),
    failed: ({ message }) => applied.setOutage(message),
  });
  return {
    stop: async () => {
      await watch.stop();
      await saving;
    },
  };
}

async function findFirst({
  registry,
  copy,
  assertUsable,
  log,
  startWaitMs = START_WAIT_MS,
}: Options): Promise<Found> {
  const parse = ({ sdl }: Publication): LoadedSupergraph => {
    const supergraph = parseSupergraph(registry.name, sdl);
    assertUsable(supergraph);
    return supergraph;
  };
  const kept = await readCopy(copy, parse, log);
  const using = kept && `the copy of ${kept.used.savedAt} is in use`;
  let published: Publication | undefined;
  try {
    published = await fetchFirst(registry, kept?.used, startWaitMs);
  } catch (error) {
    if (!(error instanceof FetchError)) throw error;
    if (!kept) throw startError(error, copy);
    log.warn({ path: copy.path, advice: error.advice }, `${error.message}; ${using}. Retrying`);
    return { ...kept, outage: error };
  }
  if (!published)
    return kept ?? Promise.reject(new StartError(`${registry.name} has no supergraph`));
  try {
    return { supergraph: parse(published), used: published };
  } catch (error) {
    if (!kept) throw error;
    log.warn({ path: copy.path }, `The published supergraph cannot be used; ${using}`);
    return { ...kept, refused: published };
  }
}

/** Returns the copy with its supergraph; undefined if there is none that can be used. */
async function readCopy(
  copy: KeptCopy,
  parse: (publication: Publication) => LoadedSupergraph,
  log: Logger,
) {
  const used = await copy.read();
  if (!used) return undefined;
  try {
    return { used, supergraph: parse(used) };
  } catch (error) {
    log.warn({ path: copy.path, err: error }, 'The copy of the supergraph cannot be used');
    return undefined;
  }
}

/** Fetches once, or several times if there is no copy. */
async function fetchFirst(
  registry: SupergraphRegistry,
  known: Publication | undefined,
  waitMs: number,
): Promise<Publication | undefined> {
  const backoff = createBackoff(waitMs, waitMs * 4);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await registry.fetch(known);
    } catch (error) {
      const isFinal = known !== undefined || attempt === START_ATTEMPTS;
      if (isFinal || !(error instanceof FetchError && error.retryable)) throw error;
      await pause(backoff.next());
    }
  }
}

function startError({ message, advice }: FetchError, { path }: KeptCopy): StartError {
  const copies = path === undefined ? 'no copy of it is kept' : `there is no copy in ${path}`;
  return new StartError(`The supergraph cannot be loaded: ${message}, and ${copies}; ${advice}`);
}
