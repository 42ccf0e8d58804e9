import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type Databases, openDatabases } from '@gudang/testing/system/databases';
import {
  type Environment,
  type ServiceProcess,
  startServiceProcess,
} from '@gudang/testing/system/service-process';
import { scriptOf } from '@gudang/testing/system/system';
import { type Admin, Kafka, logLevel, Partitioners, type Producer } from 'kafkajs';
import { type Backing, SIDES, type Side, startBacking } from './backing.ts';

/** A whole system to break: processes of the production build, what they stand on, and levers. */
export interface Rig extends Backing {
  readonly orders: readonly ServiceProcess[];
  readonly stocks: readonly ServiceProcess[];
  readonly gateway: ServiceProcess;
  /** Of one side. */
  readonly replicas: (side: Side) => readonly ServiceProcess[];
  readonly add: (side: Side, environment?: Environment) => Promise<ServiceProcess>;
  /** Ends a part for good. */
  readonly remove: (part: ServiceProcess) => Promise<void>;
  readonly databases: Databases;
  /** Past the proxies, as another system would. */
  readonly client: Kafka;
  readonly admin: Admin;
  readonly producer: Producer;
  /** A topic's or group's name on the broker. */
  readonly name: (topicOrGroup: string) => string;
  /** The topic without this system's prefix. */
  readonly bare: (topic: string) => string;
  /**
   * Undoes whatever was done to any part of it; resolves once all are ready.
   * @returns the parts that had to be started again
   */
  readonly restore: () => Promise<string[]>;
}

const READY_WITHIN_MS = 60_000;
/** Twenty looks of whoever heeds /readyz: time enough on a machine that is busy. */
const DRAIN_MS = '1000';

export async function startRig({ replicas = 2 }: { replicas?: number } = {}): Promise<Rig> {
  const backing = await startBacking();
  const prefix = `c${randomBytes(3).toString('hex')}.`;
  const parts: Record<Side, ServiceProcess[]> = { order: [], stock: [] };
  const client = new Kafka({
    clientId: 'chaos',
    brokers: [backing.brokers],
    logLevel: logLevel.NOTHING,
    retry: { retries: 20, initialRetryTime: 100, maxRetryTime: 500 },
  });
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
      const gone = [...all(), gateway].filter((part) => !part.running());
      await Promise.all(gone.map((part) => part.restart()));
      await ready();
      return gone.map((part) => part.name);
    },
    stop: async () => {
      await Promise.allSettled([admin.disconnect(), producer.disconnect(), gateway.stop()]);
      await Promise.all(all().map((part) => part.stop()));
      await databases.close();
      await backing.stop();
    },
  };
}
