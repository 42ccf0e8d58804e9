import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export type { Counter, Gauge, Histogram } from 'prom-client';

export interface Metrics {
  readonly counter: <L extends string = never>(
    name: string,
    help: string,
    labels?: readonly L[],
  ) => Counter<L>;
  readonly gauge: <L extends string = never>(
    name: string,
    help: string,
    labels?: readonly L[],
    collect?: (gauge: Gauge<L>) => void | Promise<void>,
  ) => Gauge<L>;
  readonly histogram: <L extends string = never>(
    name: string,
    help: string,
    buckets: readonly number[],
    labels?: readonly L[],
  ) => Histogram<L>;
  /** The Prometheus text format and its content type. */
  readonly render: () => Promise<{ body: string; contentType: string }>;
}

/** A registry of its own for each process (and each test), labelled with the service's name. */
export function createMetrics(service: string): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    counter: (name, help, labels = []) =>
      new Counter({ name, help, labelNames: labels, registers }),
    gauge: (name, help, labels = [], collect) => {
      const gauge: Gauge<(typeof labels)[number]> = new Gauge({
        name,
        help,
        labelNames: labels,
        registers,
        ...(collect ? { collect: () => collect(gauge) } : {}),
      });
      return gauge;
    },
    histogram: (name, help, buckets, labels = []) =>
      new Histogram({ name, help, buckets: [...buckets], labelNames: labels, registers }),
    render: async () => ({ body: await registry.metrics(), contentType: registry.contentType }),
  };
}
