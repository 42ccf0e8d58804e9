import type { Identity } from '@gudang/auth';
import type { Logger, Stoppable } from '@gudang/runtime';
import type { SubgraphAddress } from '../../subgraphs/subgraph-addresses.ts';
import { type SubgraphLink, startSubgraphLink } from './subgraph-link.ts';
import type { UpstreamRequest, UpstreamSink } from './upstream-sink.ts';

/** Asks a subgraph that can to tell the positions of its streams, in pings. */
const TELL_CURSORS = { gudang: { cursors: true } };

/** Streams from one subgraph for one identity. */
export interface Upstream {
  /** Where the subgraph takes subscriptions. */
  readonly wsUrl: string;
  /** Returns how to close the stream. */
  readonly subscribe: (request: UpstreamRequest, sink: UpstreamSink) => () => void;
  /** Whether the subgraph tells the positions of its streams. */
  readonly tells: () => boolean;
}

/** Streams from subgraphs, over one connection to each. */
export interface Upstreams extends Stoppable {
  /** The subgraphs are at these addresses from now on; streams that are open stay where they are. */
  readonly use: (addresses: readonly SubgraphAddress[]) => void;
  readonly of: (subgraph: string, identity: Identity) => Upstream;
  /** Streams that are open, or waiting for their subgraph to come back. */
  readonly count: () => number;
}

/**
 * Who asks travels in each subscription's `extensions`. A foreign subgraph looks for it in
 * `connection_init` only: it gets a connection for each identity, and never the secret.
 */
export function startUpstreams({
  addresses: first,
  secret,
  reconnectLimitMs,
  log,
}: {
  addresses: readonly SubgraphAddress[];
  /** Proves the gateway to subgraphs that are not foreign. */
  secret: string | undefined;
  reconnectLimitMs: number;
  log: Logger;
}): Upstreams {
  let current: ReadonlyMap<string, SubgraphAddress> = new Map();
  const links = new Map<string, SubgraphLink>();

  const linkOf = ({ name, wsUrl, foreign }: SubgraphAddress, identity: Identity): SubgraphLink => {
    const key = JSON.stringify([name, wsUrl, foreign && identity]);
    const known = links.get(key);
    if (known) return known;
    const link = startSubgraphLink({
      name,
      wsUrl,
      reconnectLimitMs,
      log,
      params: foreign
        ? { ...TELL_CURSORS, ...(identity.unrestricted ? {} : { identity }) }
        : { gudang: { ...TELL_CURSORS.gudang, ...(secret === undefined ? {} : { secret }) } },
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
      if (!address) throw new Error(`no subgraph is named ${subgraph}`);
      const told = address.foreign || identity.unrestricted ? undefined : identity;
      return {
        wsUrl: address.wsUrl,
        subscribe: (request, sink) =>
          linkOf(address, identity).subscribe(
            told ? { ...request, extensions: { gudang: { identity: told } } } : request,
            sink,
          ),
        tells: () => linkOf(address, identity).tells(),
      };
    },
    count: () => [...links.values()].reduce((sum, link) => sum + link.streams(), 0),
    stop: async () => {
      await Promise.all([...links.values()].map((link) => link.stop()));
    },
  };
}
