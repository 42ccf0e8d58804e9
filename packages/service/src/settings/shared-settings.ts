import { authSettings, checkOpen } from './auth-settings.ts';
import {
  addresses,
  choice,
  flag,
  integer,
  list,
  pemFile,
  port,
  type Setting,
  text,
  url,
} from './settings.ts';

/** Settings of every process that serves HTTP. */
export function httpSettings(defaultPort: number) {
  return {
    HOST: {
      description: 'The address to listen on',
      parse: text,
      default: '127.0.0.1',
      check: (values) => checkOpen(values),
    },
    PORT: {
      description: 'The port to listen on; 0 picks a free one',
      parse: port,
      default: String(defaultPort),
    },
    DRAIN_MS: {
      description:
        'How long, on SIGTERM, it still answers while /readyz says that it stops, in milliseconds: as long as load balancers need to look elsewhere',
      parse: integer(0, 15_000),
      default: '500',
    },
    LOG_LEVEL: {
      description: 'The least serious log lines that are written',
      parse: choice('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
      default: 'info',
    },
    OTEL_EXPORTER_OTLP_ENDPOINT: {
      description:
        'Where traces are sent, OTLP over HTTP; unset: none are made. The other variables of OpenTelemetry, such as OTEL_TRACES_SAMPLER, mean what it says',
      parse: url('http', 'https'),
      optional: true,
      example: 'http://127.0.0.1:4318',
    },
    NODE_ENV: {
      description: 'production switches off introspection and the pages for exploring',
      parse: choice('development', 'production', 'test'),
      default: 'development',
    },
    ...authSettings,
  } as const satisfies Record<string, Setting>;
}

/** Settings of the gateway and of what it asks. */
export const identitySettings = {
  SUBGRAPH_SECRET: {
    description:
      'Proves the gateway to subgraphs, which believe nobody else who asks; two separated by a comma while it is changed: subgraphs take both, the gateway sends the first',
    parse: list.refine(
      (secrets) =>
        secrets.length >= 1 && secrets.length <= 2 && secrets.every((one) => one.length >= 16),
      'one or two secrets of at least 16 characters, separated by a comma',
    ),
    optional: true,
    secret: true,
  },
} as const satisfies Record<string, Setting>;

function needs(
  values: Readonly<Record<string, unknown>>,
  ...names: readonly string[]
): string | undefined {
  const missing = names.filter((name) => values[name] === undefined);
  return missing.length > 0 ? `it needs ${missing.join(' and ')} too` : undefined;
}

/** Settings of every process that talks to Kafka. */
export const kafkaSettings = {
  KAFKA_BROKERS: {
    description: 'The Kafka brokers to start from, host:port, separated by commas',
    parse: addresses,
    example: '127.0.0.1:9092',
  },
  KAFKA_TOPIC_PREFIX: {
    description: 'Put before each topic and group name, so that several systems can share a broker',
    parse: text,
    default: '',
  },
  KAFKA_PARTITIONS: {
    description: 'Partitions of order_created and order_decided when this process creates them',
    parse: integer(1, 1000),
    default: '6',
  },
  KAFKA_REPLICATION: {
    description: 'Replicas of each topic when this process creates it; -1: what the broker says',
    parse: integer(-1, 10).refine((replicas) => replicas !== 0, '-1, or 1 to 10'),
    default: '-1',
  },
  KAFKA_TLS: {
    description: 'Whether to talk to the brokers over TLS',
    parse: flag,
    default: 'false',
  },
  KAFKA_TLS_CA: {
    description: 'A file with the certificates (PEM) that the brokers’ own are checked against',
    parse: pemFile,
    optional: true,
    example: '/etc/gudang/kafka-ca.pem',
    check: ({ KAFKA_TLS }) => (KAFKA_TLS === false ? 'it needs KAFKA_TLS=true' : undefined),
  },
  KAFKA_SASL_MECHANISM: {
    description: 'How to log in to the brokers; without it, nobody logs in',
    parse: choice('plain', 'scram-sha-256', 'scram-sha-512'),
    optional: true,
    check: (values) => needs(values, 'KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD'),
  },
  KAFKA_SASL_USERNAME: {
    description: 'The user who logs in to the brokers',
    parse: text,
    optional: true,
    check: (values) => needs(values, 'KAFKA_SASL_MECHANISM'),
  },
  KAFKA_SASL_PASSWORD: {
    description: 'The password of that user',
    parse: text,
    optional: true,
    secret: true,
    check: (values) => needs(values, 'KAFKA_SASL_MECHANISM'),
  },
} as const satisfies Record<string, Setting>;

/** Settings of every process that owns a database. */
export const databaseSettings = {
  DATABASE_POOL: {
    description: 'The most database connections this process opens for its work',
    parse: integer(2, 200),
    default: '10',
  },
} as const satisfies Record<string, Setting>;
