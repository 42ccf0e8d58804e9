import type { Metrics } from '@gudang/runtime';

/**
 * Registers the metrics of a change feed.
 * @param values functions that are called at each scrape
 */
export function createFeedMetrics(
  metrics: Metrics,
  values: { readonly waiting: () => number; readonly watchers: () => number },
): {
  /**
   * Records the delay of a change.
   * @param at commit time of the change by the database's clock, in milliseconds since 1970
   */
  readonly arrived: (at: number) => void;
} {
  metrics.gauge(
    'gudang_feed_lag_records',
    'Records of the change topic that this replica has yet to read',
    [],
    (gauge) => gauge.set(values.waiting()),
  );
  metrics.gauge(
    'gudang_feed_watchers',
    'Subscriptions that this replica serves from its feed',
    [],
    (gauge) => gauge.set(values.watchers()),
  );
  const delay = metrics.histogram(
    'gudang_feed_delay_seconds',
    'From the commit of a change, by the clock of the database, to its arrival at this replica',
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  );
  return { arrived: (at) => delay.observe(Math.max(0, Date.now() - at) / 1000) };
}
