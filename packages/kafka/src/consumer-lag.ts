import { createSharedScrape, type Metrics, type Stoppable } from '@gudang/runtime';
import type { KafkaConnection } from './kafka-connection.ts';

interface PartitionLag {
  readonly topic: string;
  readonly partition: string;
  /** The next offset that the group reads, according to its last commit. */
  readonly next: number;
  readonly waiting: number;
}

/**
 * Measures the lag of consumer groups by a request to the broker at each scrape, because a stuck consumer does
 * not know how many records have arrived. All replicas therefore report the same values. While the
 * broker is unavailable, no value is reported, so that no alert reads the outage as a lag of 0.
 */
export function measureLag(
  { metrics }: { metrics: Metrics },
  {
    kafka,
    groups,
  }: {
    kafka: Pick<KafkaConnection, 'client' | 'name'>;
    /** The groups of this service, each with its topic. */
    groups: readonly { readonly group: string; readonly topic: string }[];
  },
): Stoppable {
  const admin = kafka.client.admin();
  let connected: Promise<void> | undefined;
  const connect = (): Promise<void> => {
    connected ??= admin.connect().catch((error) => {
      connected = undefined;
      throw error;
    });
    return connected;
  };
  const readLags = async ({
    group,
    topic,
  }: {
    readonly group: string;
    readonly topic: string;
  }): Promise<PartitionLag[]> => {
    await connect();
    const [[committed], ends] = await Promise.all([
      admin.fetchOffsets({ groupId: kafka.name(group), topics: [kafka.name(topic)] }),
      admin.fetchTopicOffsets(kafka.name(topic)),
    ]);
    const offsets = new Map(
      committed?.partitions.map(({ partition, offset }) => [partition, Number(offset)]),
    );
    return ends.map(({ partition, low, high }) => {
      // The group starts at `low` if it has committed nothing (-1) or if its offset is no longer
      // retained.
      const next = Math.max(offsets.get(partition) ?? -1, Number(low));
      // If the topic was deleted and created again, its end may be before the committed offset.
      return {
        topic,
        partition: String(partition),
        next,
        waiting: Math.max(0, Number(high) - next),
      };
    });
  };

  const ask = createSharedScrape(async () => (await Promise.all(groups.map(readLags))).flat());
  const addGauge = (name: string, help: string, valueIn: (lag: PartitionLag) => number): void => {
    metrics.gauge(name, help, ['topic', 'partition'], async (gauge) => {
      const lags = (await ask()) ?? [];
      gauge.reset();
      for (const lag of lags)
        gauge.set({ topic: lag.topic, partition: lag.partition }, valueIn(lag));
    });
  };
  addGauge(
    'gudang_consumer_lag_records',
    'Records of a partition that the group of this service has yet to apply',
    ({ waiting }) => waiting,
  );
  addGauge(
    'gudang_consumer_offset',
    'The next offset of the group of this service in a partition, as of its last commit',
    ({ next }) => next,
  );
  return { stop: () => admin.disconnect().catch(() => {}) };
}
