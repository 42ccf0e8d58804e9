import type { Identity } from '@gudang/auth';
import type { Logger, Stoppable } from '@gudang/runtime';
import type { GraphQLFormattedError } from 'graphql';
import { RequestError } from '../../errors/request-error.ts';
import type { Headers, PrepareHeaders } from '../../headers/forwarded-headers.ts';
import type { SubgraphAddress } from '../../subgraphs/subgraph-addresses.ts';
import type { UpstreamRequest, UpstreamSink } from './linked-stream.ts';
import { SubgraphLink } from './subgraph-link.ts';
import { internalError, tooManyConnections } from './upstream-errors.ts';

/** Asks a subgraph to send position reports in its pings. */
const WANTS_POSITIONS = { gudang: { cursors: true } };

const NO_HEADERS: Headers = {};

/** The address of a subgraph for subscriptions. */
type UpstreamAddress = Omit<SubgraphAddress, 'limits'>;

/** Streams from one subgraph for one identity and one set of forwarded headers. */
export interface Upstream {
  /** The subgraph's address for subscriptions. */
  readonly wsUrl: string;
  /** Opens a stream. @returns a function that closes the stream */
  readonly subscribe: (request: UpstreamRequest, sink: UpstreamSink) => () => void;
}

/**
 * Streams from all subgraphs. The streams from a subgraph share one connection, for each set of forwarded
 * headers. A foreign subgraph has one connection per identity as well.
 */
export interface Upstreams extends Stoppable {
  /** Replaces the subgraphs' addresses. Open streams keep their connections. */
  readonly use: (addresses: readonly UpstreamAddress[]) => void;
  /**
   * Returns the streams of a subgraph for an identity.
   * @param headers the headers that rules forward to the subgraph
   * @throws if no subgraph has this name
   */
  readonly of: (subgraph: string, identity: Identity, headers?: Headers) => Upstream;
  /** Number of streams that are open or wait for their subgraph. */
  readonly count: () => number;
}

/**
 * Starts without connections: each connection is opened for its first stream. Each subscription
 * carries the caller's identity in its `extensions`. A foreign subgraph reads only
 * `connection_init`, so the gateway opens one connection per identity to a foreign subgraph, and
 * never sends it the secret. Forwarded headers are sent with the request that opens the connection, and
 * in `connection_init` as `headers`.
 */
export function startUpstreams({
  addresses: first,
  secret,
  reconnectLimitMs,
  maxConnections = Number.POSITIVE_INFINITY,
  prepare,
  log,
}: {
  addresses: readonly UpstreamAddress[];
  /** Proves that a request comes from the gateway. Foreign subgraphs never receive the secret. */
  secret: string | undefined;
  /** Time that a stream waits for its subgraph before it fails, in milliseconds. */
  reconnectLimitMs: number;
  /** Maximum number of shared connections to one subgraph. Default: no limit. */
  maxConnections?: number;
  /** Completes the headers with which a stream is subscribed. */
  prepare?: PrepareHeaders | undefined;
  log: Logger;
}): Upstreams {
  let current: ReadonlyMap<string, UpstreamAddress> = new Map();
  const links = new Map<string, SubgraphLink>();
  /** Number of links by the subgraph's name. */
  const linkCounts = new Map<string, number>();

  const createLink = (
    { name, wsUrl, foreign }: UpstreamAddress,
    identity: Identity,
    headers: Headers,
    onUnused: (link: SubgraphLink) => void,
  ): SubgraphLink => {
    const sent = headers === NO_HEADERS ? {} : { headers };
    const link: SubgraphLink = new SubgraphLink({
      name,
      wsUrl,
      reconnectLimitMs,
      log,
      headers,
      params: foreign
        ? { ...WANTS_POSITIONS, ...(identity.unrestricted ? {} : { identity }), ...sent }
        : {
            gudang: { ...WANTS_POSITIONS.gudang, ...(secret === undefined ? {} : { secret }) },
            ...sent,
          },
      onUnused: () => onUnused(link),
    });
    return link;
  };
  /** @returns undefined if the subgraph has too many connections */
  const linkOf = (
    address: UpstreamAddress,
    identity: Identity,
    headers: Headers,
  ): SubgraphLink | undefined => {
    const { name, wsUrl, foreign } = address;
    const key = JSON.stringify([name, wsUrl, foreign && identity, headers]);
    const existing = links.get(key);
    if (existing) return existing;
    const count = linkCounts.get(name) ?? 0;
    if (count >= maxConnections) return undefined;
    const link = createLink(address, identity, headers, (unused) => {
      const isCommon = !foreign && headers === NO_HEADERS;
      if (isCommon && current.get(name)?.wsUrl === wsUrl) return;
      if (links.delete(key)) linkCounts.set(name, (linkCounts.get(name) ?? 1) - 1);
      void unused.stop();
    });
    links.set(key, link);
    linkCounts.set(name, count + 1);
    return link;
  };
  const use: Upstreams['use'] = (addresses) => {
    current = new Map(addresses.map((address) => [address.name, address]));
  };
  use(first);

  return {
    use,
    of: (subgraph, identity, headers = NO_HEADERS) => {
      const address = current.get(subgraph);
      if (!address) throw new Error(`No subgraph is named ${subgraph}`);
      const sent = address.foreign || identity.unrestricted ? undefined : identity;
      return {
        wsUrl: address.wsUrl,
        subscribe: (request, sink) => {
          const costly = request.isCostly && !address.foreign ? true : undefined;
          const slow = request.isSlow && !address.foreign ? true : undefined;
          const extensions = { gudang: { identity: sent, costly, slow } };
          const asked = sent || costly || slow ? { ...request, extensions } : request;
          const open = (final: Headers): (() => void) => {
            const link = linkOf(address, identity, final);
            if (!link) return refuse(sink, tooManyConnections(subgraph, maxConnections));
            return link.subscribe(asked, sink);
          };
          if (!prepare) return open(headers);
          const { query, operationName } = request;
          // Without the variables: reading them begins a subscription.
          const outgoing = {
            subgraph,
            kind: 'subscription',
            query,
            operationName,
            identity,
          } as const;
          return openWhenReady(async () => prepare(outgoing, headers), open, sink);
        },
      };
    },
    count: () => [...links.values()].reduce((sum, link) => sum + link.size, 0),
    stop: async () => {
      await Promise.all([...links.values()].map((link) => link.stop()));
    },
  };
}

/** Ends a stream with an error, after its subscriber has got the function that closes it. */
function refuse(sink: UpstreamSink, error: GraphQLFormattedError): () => void {
  let isClosed = false;
  queueMicrotask(() => {
    if (!isClosed) sink.error([error]);
  });
  return () => {
    isClosed = true;
  };
}

/** Opens a stream when its headers are complete. @returns a function that closes it */
function openWhenReady(
  prepare: () => Promise<Headers>,
  open: (headers: Headers) => () => void,
  sink: UpstreamSink,
): () => void {
  let isClosed = false;
  let close = (): void => {};
  prepare()
    .then((headers) => {
      if (!isClosed) close = open(headers);
    })
    .catch((error: unknown) => {
      const shown = error instanceof RequestError ? error.toJSON() : internalError();
      if (!isClosed) sink.error([shown]);
    });
  return () => {
    isClosed = true;
    close();
  };
}
