import type { Metrics } from '@gudang/runtime';

type Outcome = 'ok' | 'errors' | 'unavailable';

export interface SubgraphMetrics {
  /** Starts timing a request. @returns a function that records its outcome */
  readonly begin: (subgraph: string) => (outcome: Outcome) => void;
}

export function createSubgraphMetrics(metrics: Metrics): SubgraphMetrics {
  const seconds = metrics.histogram(
    'gateway_subgraph_request_seconds',
    'Time of requests to subgraphs, from sending to the parsed answer',
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    ['subgraph', 'outcome'],
  );
  /**
   * Series are cached, because finding a series by its labels is most of the cost of an
   * observation.
   */
  const series = new Map<string, Pick<ReturnType<typeof seconds.labels>, 'observe'>>();
  const seriesOf = (subgraph: string, outcome: Outcome) => {
    const key = `${outcome} ${subgraph}`;
    const found = series.get(key) ?? seconds.labels({ subgraph, outcome });
    series.set(key, found);
    return found;
  };
  return {
    begin: (subgraph) => {
      const startedAt = performance.now();
      return (outcome) =>
        seriesOf(subgraph, outcome).observe((performance.now() - startedAt) / 1000);
    },
  };
}
