import type { Metrics } from '@gudang/service';

type Outcome = 'ok' | 'errors' | 'unavailable';

export interface SubgraphMetrics {
  /** Notes the begin of a request; what it returns notes the end. */
  readonly begin: (subgraph: string) => (outcome: Outcome) => void;
}

export function createSubgraphMetrics(metrics: Metrics): SubgraphMetrics {
  const seconds = metrics.histogram(
    'gateway_subgraph_request_seconds',
    'Requests to subgraphs, from sending to the parsed answer',
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    ['subgraph', 'outcome'],
  );
  return {
    begin: (subgraph) => {
      const from = performance.now();
      return (outcome) => seconds.observe({ subgraph, outcome }, (performance.now() - from) / 1000);
    },
  };
}
