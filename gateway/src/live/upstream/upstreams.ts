import type { Identity } from '@gudang/auth';
import type { Logger, Stoppable } from '@gudang/runtime';
import type { SubgraphAddress } from '../../subgraphs/subgraph-addresses.ts';
import type { UpstreamRequest, UpstreamSink } from './linked-stream.ts';
import { SubgraphLink } from './subgraph-link.ts';

/** Asks a subgraph to send position reports in its pings. */
const WANTS_POSITIONS = { gudang: { cursors: true } };

/** Streams from one subgraph for one identity. */
export interface Upstream {
  /** The subgraph's address for subscriptions. */
  readonly wsUrl: string;
  /** Opens a stream. @returns a function that closes the stream */
  readonly subscribe: (request: UpstreamRequest, sink: UpstreamSink) => () => void;
}

/**
 * Streams from all subgraphs. The streams from a subgraph share one connection. A foreign subgraph
 * has one connection per identity instead.
 */
export interface Upstreams extends Stoppable {
  /** Replaces the subgraphs' addresses. Open streams keep their connections. */
  readonly use: (addresses: readonly SubgraphAddress[]) => void;
  /** Returns the streams of a subgraph for an identity. @throws if no subgraph has this name */
  readonly of: (subgraph: string, identity: Identity) => Upstream;
  /** Number of streams that are open or wait for their subgraph. */
  readonly count: () => number;
}

/**
 * Starts without connections: each connection is opened for its first stream. Each subscription
 * carries the caller's identity in its `extensions`. A foreign subgraph reads only
 * `connection_init`, so the gateway opens one connection per identity to a foreign subgraph, and
 * never sends it the secret.
 */
export function startUpstreams({
  addresses: first,
  secret,
  reconnectLimitMs,
  log,
}: {
  addresses: readonly SubgraphAddress[];
  /** Proves that a request comes from the gateway. Foreign subgraphs never receive the secret. */
  secret: string | undefined;
  /** Time that a stream waits for its subgraph before it fails, in milliseconds. */
  reconnectLimitMs: number;
  log: Logger;
}): Upstreams {
  let current: ReadonlyMap<string, SubgraphAddress> = new Map();
  const links = new Map<string, SubgraphLink>();

  const linkOf = ({ name, wsUrl, foreign }: SubgraphAddress, identity: Identity): SubgraphLink => {
    const key = JSON.stringify([name, wsUrl, foreign && identity]);
    const existing = links.get(key);
    if (existing) return existing;
    const link = new SubgraphLink({
      name,
      wsUrl,
      reconnectLimitMs,
      log,
      params: foreign
        ? { ...WANTS_POSITIONS, ...(identity.unrestricted ? {} : { identity }) }
        : { gudang: { ...WANTS_POSITIONS.gudang, ...(secret === undefined ? {} : { secret }) } },
      onUnused: () => {
        if (!foreign && current.get(name)?.wsUrl === wsUrl) return;
        links.delete(key);
        void link.stop();
      },
    });
    links.set(key, link);
    return link;
  };
  const use: Upstreams['use'] = (addresses) => {
    current = new Map(addresses.map((address) => [address.name, address]));
  };
  use(first);

  return {
    use,
    of: (subgraph, identity) => {
      const address = current.get(subgraph);
      if (!address) throw new Error(`No subgraph is named ${subgraph}`);
      const sent = address.foreign || identity.unrestricted ? undefined : identity;
      return {
        wsUrl: address.wsUrl,
        subscribe: (request, sink) => {
          const costly = request.isCostly && !address.foreign ? true : undefined;
          const slow = request.isSlow && !address.foreign ? true : undefined;
          const extensions = { gudang: { identity: sent, costly, slow } };
          return linkOf(address, identity).subscribe(
            sent || costly || slow ? { ...request, extensions } : request,
            sink,
          );
        },
      };
    },
    count: () => [...links.values()].reduce((sum, link) => sum + link.size, 0),
    stop: async () => {
      await Promise.all([...links.values()].map((link) => link.stop()));
    },
  };
}
