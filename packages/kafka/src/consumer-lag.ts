import type { Metrics, Stoppable } from '@gudang/runtime';
import { createSharedScrape } from '@gudang/runtime';
import type { KafkaConnection } from './kafka-connection.ts';

interface Place {
  readonly partition: string;
  /** The offset that the group reads next, as of its last commit. */
  readonly next: number;
  readonly waiting: number;
}

/**
 * How far a group is behind its topic, asked of the broker at each scrape: a consumer that is stuck
 * can tell of nothing that came since. Every replica tells the same; with the broker away none
 * tells anything, which no rule takes for 0.
 */
export function measureLag(
  { metrics }: { metrics: Metrics },
  {
    kafka,
    topic,
    group,
  }: { kafka: Pick<KafkaConnection, 'client' | 'name'>; topic: string; group: string },
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
  const read = async (): Promise<Place[]> => {
    await connect();
    const [[of], ends] = await Promise.all([
      admin.fetchOffsets({ groupId: kafka.name(group), topics: [kafka.name(topic)] }),
      admin.fetchTopicOffsets(kafka.name(topic)),
    ]);
    const committed = new Map(of?.partitions.map((one) => [one.partition, Number(one.offset)]));
    return ends.map(({ partition, low, high }) => {
      // Below what is kept, -1 before the first commit, the group goes on at the beginning.
      const next = Math.max(committed.get(partition) ?? -1, Number(low));
      // A topic that was made again may end before it.
      return { partition: String(partition), next, waiting: Math.max(0, Number(high) - next) };
    });
  };

  const ask = createSharedScrape(read);
  const tell = (name: string, help: string, of: (place: Place) => number): void => {
    metrics.gauge(name, help, ['topic', 'partition'], async (gauge) => {
      const places = (await ask()) ?? [];
      gauge.reset();
      for (const place of places) gauge.set({ topic, partition: place.partition }, of(place));
    });
  };
  tell(
    'gudang_consumer_lag_records',
    'Records of a partition that the group of this service has yet to apply',
    ({ waiting }) => waiting,
  );
  tell(
    'gudang_consumer_offset',
    'The place of the group of this service in a partition, as of its last commit',
    ({ next }) => next,
  );
  return { stop: () => admin.disconnect().catch(() => {}) };
}
