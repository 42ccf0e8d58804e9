import {
  addresses,
  choice,
  flag,
  integer,
  pemFile,
  type Setting,
  text,
} from '@gudang/runtime/settings';

function needs(
  values: Readonly<Record<string, unknown>>,
  ...names: readonly string[]
): string | undefined {
  const missing = names.filter((name) => values[name] === undefined);
  return missing.length > 0 ? `it needs ${missing.join(' and ')} too` : undefined;
}

/** Settings of each process that uses Kafka. */
export const kafkaSettings = {
  KAFKA_BROKERS: {
    description: 'Kafka brokers for the first connection: host:port, separated by commas',
    parse: addresses,
    example: '127.0.0.1:9092',
  },
  KAFKA_TOPIC_PREFIX: {
    description:
      'Prefix of each topic and consumer group, so that several systems can share a broker',
    parse: text,
    default: '',
  },
  KAFKA_PARTITIONS: {
    description:
      'Partitions of order_created, order_cancelled and order_decided, if this process creates them',
    parse: integer(1, 1000),
    default: '6',
  },
  KAFKA_REPLICATION: {
    description: 'Replicas of each topic, if this process creates it; -1: the broker’s default',
    parse: integer(-1, 10).refine((replicas) => replicas !== 0, '-1, or 1 to 10'),
    default: '-1',
  },
  KAFKA_TLS: {
    description: 'Whether to connect to the brokers with TLS',
    parse: flag,
    default: 'false',
  },
  KAFKA_TLS_CA: {
    description: 'File with the CA certificates (PEM) that verify the brokers’ certificates',
    parse: pemFile,
    optional: true,
    example: '/etc/gudang/kafka-ca.pem',
    check: ({ KAFKA_TLS }) => (KAFKA_TLS === false ? 'it needs KAFKA_TLS=true' : undefined),
  },
  KAFKA_SASL_MECHANISM: {
    description: 'SASL mechanism for the brokers; unset: no authentication',
    parse: choice('plain', 'scram-sha-256', 'scram-sha-512'),
    optional: true,
    check: (values) => needs(values, 'KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD'),
  },
  KAFKA_SASL_USERNAME: {
    description: 'SASL user name',
    parse: text,
    optional: true,
    check: (values) => needs(values, 'KAFKA_SASL_MECHANISM'),
  },
  KAFKA_SASL_PASSWORD: {
    description: 'SASL password',
    parse: text,
    optional: true,
    secret: true,
    check: (values) => needs(values, 'KAFKA_SASL_MECHANISM'),
  },
} as const satisfies Record<string, Setting>;
