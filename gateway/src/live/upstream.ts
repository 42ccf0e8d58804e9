import type { Logger, Stoppable } from '@gudang/service';
import type { SubgraphAddress } from '../subgraphs/subgraph-addresses.ts';
import { type SubgraphLink, startSubgraphLink } from './subgraph-link.ts';
import type { UpstreamRequest, UpstreamSink } from './upstream-sink.ts';

/** Streams from subgraphs, over one connection to each. */
export interface Upstreams extends Stoppable {
  /** Returns how to close the stream. */
  readonly subscribe: (
    subgraph: string,
    request: UpstreamRequest,
    sink: UpstreamSink,
  ) => () => void;
  /** Whether the subgraph tells the positions of its streams. */
  readonly tells: (subgraph: string) => boolean;
  /** Streams that are open, or waiting for their subgraph to come back. */
  readonly count: () => number;
}

export function startUpstreams({
  addresses,
  reconnectLimitMs,
  log,
}: {
  addresses: readonly SubgraphAddress[];
  reconnectLimitMs: number;
  log: Logger;
}): Upstreams {
  const links = new Map<string, SubgraphLink>(
    addresses.map(({ name, wsUrl }) => [
      name,
      startSubgraphLink({ name, wsUrl, reconnectLimitMs, log }),
    ]),
  );
  return {
    subscribe: (subgraph, request, sink) => {
      const link = links.get(subgraph);
      if (!link) throw new Error(`no subgraph is named ${subgraph}`);
      return link.subscribe(request, sink);
    },
    tells: (subgraph) => links.get(subgraph)?.tells() ?? false,
    count: () => [...links.values()].reduce((sum, link) => sum + link.streams(), 0),
    stop: async () => {
      await Promise.all([...links.values()].map((link) => link.stop()));
    },
  };
}
