import { type SecuredListener, securedProperties } from './secured-listener.ts';

export interface KafkaAddresses {
  port: number;
  controllerPort: number;
  /** The folder of Kafka's records. */
  data: string;
  proxied?: readonly ProxiedListener[];
  secured?: SecuredListener | undefined;
}

/** A listener for clients behind a proxy. Kafka advertises the proxy's port to these clients. */
export interface ProxiedListener {
  port: number;
  advertisedPort: number;
}

/** Returns the server.properties of a one-node Kafka on 127.0.0.1. */
export function kafkaProperties(addresses: KafkaAddresses): string {
  const { port, controllerPort, data, proxied = [], secured } = addresses;
  const listeners = [`PLAINTEXT://127.0.0.1:${port}`, `CONTROLLER://127.0.0.1:${controllerPort}`];
  const advertised = [`PLAINTEXT://127.0.0.1:${port}`];
  const protocols = ['PLAINTEXT:PLAINTEXT', 'CONTROLLER:PLAINTEXT'];
  for (const [index, listener] of proxied.entries()) {
    listeners.push(`PROXIED${index}://127.0.0.1:${listener.port}`);
    advertised.push(`PROXIED${index}://127.0.0.1:${listener.advertisedPort}`);
    protocols.push(`PROXIED${index}:PLAINTEXT`);
  }
  if (secured) {
    listeners.push(`SECURED://127.0.0.1:${secured.port}`);
    advertised.push(`SECURED://127.0.0.1:${secured.port}`);
    protocols.push('SECURED:SASL_SSL');
  }
  const properties: Record<string, string | number | boolean> = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: listeners.join(','),
    'advertised.listeners': advertised.join(','),
    'listener.security.protocol.map': protocols.join(','),
    'inter.broker.listener.name': 'PLAINTEXT',
    // A backslash is an escape character in a properties file.
    'log.dirs': data.replaceAll('\\', '\\\\'),
    'auto.create.topics.enable': false,
    'offsets.topic.num.partitions': 1,
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.num.partitions': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    // Each group has one consumer, so the first rebalance need not wait for other members.
    'group.initial.rebalance.delay.ms': 0,
    // After SIGKILL the broker can register again only when its previous session has expired. With the
    // default of 9 s the system needed 12 s to recover.
    'broker.session.timeout.ms': 2000,
    'broker.heartbeat.interval.ms': 500,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'background.threads': 2,
    ...(secured && securedProperties(secured)),
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}
