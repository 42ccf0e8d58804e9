import type { Metrics } from '@gudang/service';

type Gauge = ReturnType<Metrics['gauge']>;
type Counter = ReturnType<Metrics['counter']>;

export interface LiveMetrics {
  readonly clients: Gauge;
  readonly streams: Gauge;
  readonly events: Counter;
  readonly deliveries: Counter;
}

export function createLiveMetrics(metrics: Metrics, upstreams: () => number): LiveMetrics {
  metrics.gauge(
    'gateway_live_upstreams',
    'Subscriptions to subgraphs, open or waiting for their subgraph',
    [],
    (gauge) => gauge.set(upstreams()),
  );
  return {
    clients: metrics.gauge('gateway_live_clients', 'Clients connected for live streams'),
    streams: metrics.gauge('gateway_live_streams', 'Streams that are executed for clients'),
    events: metrics.counter('gateway_live_events_total', 'Events that came from subgraphs'),
    deliveries: metrics.counter(
      'gateway_live_deliveries_total',
      'Events handed to clients, counted for each of them',
    ),
  };
}
