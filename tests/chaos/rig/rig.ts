import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createKafkaClient } from '@gudang/kafka';
import { kafkaSettings } from '@gudang/kafka/settings';
import { createLogger } from '@gudang/runtime';
import { readSettings } from '@gudang/runtime/settings';
import { type Databases, openDatabases } from '@gudang/testing/system/databases';
import {
  type Environment,
  type ServiceProcess,
  startServiceProcess,
} from '@gudang/testing/system/service-process';
import { scriptOf } from '@gudang/testing/system/system';
import { type Admin, type Kafka, Partitioners, type Producer } from 'kafkajs';
import { type Backing, SIDES, type Side, startBacking } from './backing.ts';

/** A whole system for fault injection: production processes, their dependencies and their controls. */
export interface Rig extends Backing {
  readonly orders: readonly ServiceProcess[];
  readonly stocks: readonly ServiceProcess[];
  readonly gateway: ServiceProcess;
  /** Returns the replicas of one subgraph. */
  readonly replicas: (side: Side) => readonly ServiceProcess[];
  readonly add: (side: Side, environment?: Environment) => Promise<ServiceProcess>;
  /** Stops a replica permanently. */
  readonly remove: (part: ServiceProcess) => Promise<void>;
  readonly databases: Databases;
  /** A Kafka client that connects directly to the broker, as another system would. */
  readonly client: Kafka;
  readonly admin: Admin;
  readonly producer: Producer;
  /** Adds the system's prefix to the name of a topic or group. */
  readonly name: (topicOrGroup: string) => string;
  /** Removes the system's prefix from a topic name. */
  readonly bare: (topic: string) => string;
  /**
   * Ends all faults and restarts dead processes. Resolves once all processes are ready.
   * @returns names of the processes that had to be restarted
   */
  readonly restore: () => Promise<string[]>;
}

/** Retries of the rig's own client, which take about 18 s. */
const CLIENT_RETRIES = 20;
const READY_WITHIN_MS = 60_000;
/** Drain time, in which a steady client sends 20 probes, so it notices the shutdown even under load. */
const DRAIN_MS = '1000';

export async function startRig({ replicas = 2 }: { replicas?: number } = {}): Promise<Rig> {
  const backing = await startBacking();
  const prefix = `c${randomBytes(3).toString('hex')}.`;
  const parts: Record<Side, ServiceProcess[]> = { order: [], stock: [] };
  const client = createKafkaClient(
    'chaos',
    readSettings(kafkaSettings, { KAFKA_BROKERS: backing.brokers }),
    createLogger('chaos', 'silent'),
    CLIENT_RETRIES,
  );
  const admin = client.admin();
  const producer = client.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  const databases = openDatabases({
    order: backing.postgres.order.url,
    stock: backing.postgres.stock.url,
  });
  const environmentOf = (side: Side): Environment => ({
    PORT: '0',
    LOG_LEVEL: 'info',
    DRAIN_MS,
    [`${side.toUpperCase()}_DATABASE_URL`]: backing.postgres[side].proxiedUrl,
    KAFKA_BROKERS: `127.0.0.1:${backing.kafka.proxies[side].port}`,
    KAFKA_TOPIC_PREFIX: prefix,
    ...(side === 'order' ? { RECONCILE_AFTER: '3' } : {}),
  });
  const pidFileOf = (name: string): string => join(backing.directory, `${name}.pid`);
  let count = 0;
  const add = async (side: Side, environment: Environment = {}): Promise<ServiceProcess> => {
    count += 1;
    const part = await startServiceProcess({
      name: `${side}-${count}`,
      script: scriptOf(side),
      environment: { ...environmentOf(side), ...environment },
      pidFile: pidFileOf(`${side}-${count}`),
    });
    parts[side].push(part);
    return part;
  };
  const remove = async (part: ServiceProcess): Promise<void> => {
    for (const side of SIDES) parts[side] = parts[side].filter((one) => one !== part);
    await part.stop();
  };
  const all = (): ServiceProcess[] => [...parts.order, ...parts.stock];
  const ready = (): Promise<unknown> =>
    Promise.all([...all(), gateway].map((part) => part.ready(READY_WITHIN_MS)));

  await Promise.all(
    SIDES.map((side) => Promise.all(Array.from({ length: replicas }, () => add(side)))),
  );
  const addresses = SIDES.map((side) => `${side}=${parts[side][0]?.url}/graphql`);
  const gateway = await startServiceProcess({
    name: 'gateway',
    script: scriptOf('gateway'),
    environment: { PORT: '0', LOG_LEVEL: 'info', SUBGRAPH_URLS: addresses.join(',') },
    pidFile: pidFileOf('gateway'),
  });
  await ready();
  await Promise.all([admin.connect(), producer.connect()]);

  return {
    ...backing,
    get orders() {
      return parts.order;
    },
    get stocks() {
      return parts.stock;
    },
    gateway,
    replicas: (side) => parts[side],
    add,
    remove,
    databases,
    client,
    admin,
    producer,
    name: (topicOrGroup) => prefix + topicOrGroup,
    bare: (topic) => topic.slice(prefix.length),
    restore: async () => {
      const { kafka, postgres } = backing;
      await Promise.all(SIDES.map((side) => postgres[side].disk.clear()));
      await Promise.all([kafka.start(), ...SIDES.map((side) => postgres[side].start())]);
      for (const side of SIDES) {
        await kafka.proxies[side].restore();
        await postgres[side].proxy.restore();
      }
      for (const part of all()) part.kill('SIGCONT');
      const dead = [...all(), gateway].filter((part) => !part.running());
      await Promise.all(dead.map((part) => part.restart()));
      await ready();
      return dead.map((part) => part.name);
    },
    stop: async () => {
      await Promise.allSettled([admin.disconnect(), producer.disconnect(), gateway.stop()]);
      await Promise.all(all().map((part) => part.stop()));
      await databases.close();
      await backing.stop();
    },
  };
}
