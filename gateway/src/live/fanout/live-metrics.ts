import type { Metrics } from '@gudang/runtime';

type Gauge = ReturnType<Metrics['gauge']>;
type Counter = ReturnType<Metrics['counter']>;
type Histogram = ReturnType<Metrics['histogram']>;

/** Metrics of the live engine. Their names are a public contract. */
export interface LiveMetrics {
  readonly clients: Gauge;
  readonly streams: Gauge;
  readonly events: Counter;
  readonly deliveries: Counter;
  readonly conflated: Counter;
  readonly lagged: Counter;
  readonly catchUps: Counter;
  readonly pauses: Counter;
  readonly queued: Gauge;
  readonly eventSeconds: Histogram;
}

export function createLiveMetrics(metrics: Metrics, upstreams: () => number): LiveMetrics {
  metrics.gauge(
    'gateway_live_upstreams',
    'Subscriptions to subgraphs, including those that wait for their subgraph',
    [],
    (gauge) => gauge.set(upstreams()),
  );
  return {
    clients: metrics.gauge('gateway_live_clients', 'Websocket and HTTP clients that are connected'),
    streams: metrics.gauge('gateway_live_streams', 'Shared streams'),
    events: metrics.counter('gateway_live_events_total', 'Events received from subgraphs'),
    deliveries: metrics.counter(
      'gateway_live_deliveries_total',
      'Events delivered to clients, counted for each client',
    ),
    conflated: metrics.counter(
      'gateway_live_conflated_total',
      'Events replaced by newer ones of the same key before delivery, counted for each client',
    ),
    lagged: metrics.counter(
      'gateway_live_lagged_total',
      'Clients closed with 4480 or LAGGED because too much waited for them',
    ),
    catchUps: metrics.counter(
      'gateway_live_catch_ups_total',
      'Subscriptions to subgraphs for clients that resume from a cursor',
    ),
    pauses: metrics.counter(
      'gateway_live_pauses_total',
      'Subscriptions to subgraphs closed until their waiting events are delivered',
    ),
    queued: metrics.gauge('gateway_live_queued', 'Events that wait for slow clients'),
    eventSeconds: metrics.histogram(
      'gateway_live_event_seconds',
      'Time from the arrival of an event to its last client, in seconds',
      [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
    ),
  };
}
