import { type HeldSnapshot, holdSnapshot } from '@gudang/testing/system/held-snapshot';
import type { ServiceProcess } from '@gudang/testing/system/service-process';
import { Kafka, logLevel } from 'kafkajs';
import { type BacklogSystem, startBacklogSystem } from '../backlog/backlog-system.ts';

/** Both subgraphs, with a held snapshot on each database. */
export interface SnapshotSystem extends Pick<BacklogSystem, 'databases'> {
  readonly order: ServiceProcess;
  readonly stock: ServiceProcess;
  /** URLs of both databases. */
  readonly urls: readonly string[];
  /** A topic that nothing consumes. */
  readonly topic: string;
  readonly stop: () => Promise<void>;
}

const TOPIC = 'bench_passed';

export async function startSnapshotSystem(): Promise<SnapshotSystem> {
  const system = await startBacklogSystem();
  const snapshots: HeldSnapshot[] = [];
  const stop = async (): Promise<void> => {
    for (const snapshot of snapshots) await snapshot.release();
    await system.stop();
  };
  try {
    const [order, stock] = await Promise.all([system.add('order'), system.add('stock')]);
    await Promise.all([order.ready(), stock.ready()]);
    const admin = new Kafka({
      brokers: [system.kafkaBroker],
      logLevel: logLevel.NOTHING,
    }).admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 1 }] });
    await admin.disconnect();
    const urls = Object.values(system.urls);
    for (const url of urls) snapshots.push(await holdSnapshot(url));
    const { databases } = system;
    return { databases, order, stock, urls, topic: TOPIC, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
