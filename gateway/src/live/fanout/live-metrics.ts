import type { Metrics } from '@gudang/runtime';

type Gauge = ReturnType<Metrics['gauge']>;
type Counter = ReturnType<Metrics['counter']>;
type Histogram = ReturnType<Metrics['histogram']>;

export interface LiveMetrics {
  readonly clients: Gauge;
  readonly streams: Gauge;
  readonly events: Counter;
  readonly deliveries: Counter;
  readonly conflated: Counter;
  readonly lagged: Counter;
  readonly catchUps: Counter;
  readonly queued: Gauge;
  readonly eventSeconds: Histogram;
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
    conflated: metrics.counter(
      'gateway_live_conflated_total',
      'Events that newer ones replaced before they reached a client, counted for each of them',
    ),
    lagged: metrics.counter('gateway_live_lagged_total', 'Clients closed because they lagged'),
    catchUps: metrics.counter(
      'gateway_live_catch_ups_total',
      'Private subscriptions made for clients that came with a cursor',
    ),
    queued: metrics.gauge('gateway_live_queued', 'Events that wait for slow clients'),
    eventSeconds: metrics.histogram(
      'gateway_live_event_seconds',
      "From an event's arrival to its last client's socket",
      [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
    ),
  };
}
