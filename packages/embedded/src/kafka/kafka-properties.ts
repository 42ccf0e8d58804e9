import { type SecuredListener, securedProperties } from './secured-listener.ts';

export interface KafkaPlace {
  port: number;
  controllerPort: number;
  /** Where its records are. */
  data: string;
  proxied?: readonly ProxiedListener[];
  secured?: SecuredListener | undefined;
}

/** A further listener, for clients that reach Kafka through a proxy: Kafka names the proxy's port to them. */
export interface ProxiedListener {
  port: number;
  advertisedPort: number;
}

/** The settings of a Kafka of one node, for one machine: server.properties. */
export function kafkaProperties(place: KafkaPlace): string {
  const { port, controllerPort, data, proxied = [], secured } = place;
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
    // In a properties file a backslash escapes; a path that has one must survive that.
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
    // One consumer a group: there is nobody to wait for.
    'group.initial.rebalance.delay.ms': 0,
    // After a kill it is let in again only when its former session is over: by default 9 s, which made 12 s of healing.
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
