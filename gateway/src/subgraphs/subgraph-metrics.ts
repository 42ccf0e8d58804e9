import type { Metrics } from '@gudang/runtime';

type Outcome = 'ok' | 'errors' | 'unavailable';

/** Figures of one subgraph for a scrape. */
export interface SubgraphState {
  readonly isBreakerOpen: boolean;
  readonly running: number;
  readonly waiting: number;
}

export interface SubgraphMetrics {
  /** Starts timing a request. @returns a function that records its outcome */
  readonly begin: (subgraph: string) => (outcome: Outcome) => void;
  /** Counts a query that is sent again. */
  readonly retried: (subgraph: string) => void;
  /** Counts a request that was not sent. */
  readonly refused: (subgraph: string, reason: 'breaker' | 'queue') => void;
  readonly breakerOpened: (subgraph: string) => void;
  /** Reads the state of a subgraph at each scrape. @returns a function that stops it */
  readonly watch: (subgraph: string, state: () => SubgraphState) => () => void;
}

export function createSubgraphMetrics(metrics: Metrics): SubgraphMetrics {
  const watched = new Map<string, () => SubgraphState>();
  const { retried, refused, opened } = createCounters(metrics);
  watchStates(metrics, watched);
  return {
    begin: createTimer(metrics),
    retried: (subgraph) => retried.inc({ subgraph }),
    refused: (subgraph, reason) => refused.inc({ subgraph, reason }),
    breakerOpened: (subgraph) => opened.inc({ subgraph }),
    watch: (subgraph, state) => {
      watched.set(subgraph, state);
      return () => {
        if (watched.get(subgraph) === state) watched.delete(subgraph);
      };
    },
  };
}

function createCounters(metrics: Metrics) {
  return {
    retried: metrics.counter(
      'gateway_subgraph_retries_total',
      'Queries to subgraphs that were sent again after a lost connection or a status of 502 to 504',
      ['subgraph'],
    ),
    refused: metrics.counter(
      'gateway_subgraph_refused_total',
      'Requests that were not sent to a subgraph: its circuit breaker is open, or its queue is full',
      ['subgraph', 'reason'],
    ),
    opened: metrics.counter(
      'gateway_subgraph_breaker_opened_total',
      'How often the circuit breaker of a subgraph has opened',
      ['subgraph'],
    ),
  };
}

function watchStates(metrics: Metrics, watched: ReadonlyMap<string, () => SubgraphState>): void {
  metrics.gauge(
    'gateway_subgraph_breaker_open',
    '1 while the circuit breaker of a subgraph is open or half-open, otherwise 0',
    ['subgraph'],
    (gauge) => {
      gauge.reset();
      for (const [subgraph, state] of watched) gauge.set({ subgraph }, +state().isBreakerOpen);
    },
  );
  metrics.gauge(
    'gateway_subgraph_requests',
    'Requests to a subgraph that have a connection (running) or wait for one (waiting)',
    ['subgraph', 'state'],
    (gauge) => {
      gauge.reset();
      for (const [subgraph, state] of watched) {
        const { running, waiting } = state();
        gauge.set({ subgraph, state: 'running' }, running);
        gauge.set({ subgraph, state: 'waiting' }, waiting);
      }
    },
  );
}

function createTimer(metrics: Metrics): SubgraphMetrics['begin'] {
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
  return (subgraph) => {
    const startedAt = performance.now();
    return (outcome) => seriesOf(subgraph, outcome).observe((performance.now() - startedAt) / 1000);
  };
}
