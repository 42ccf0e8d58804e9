import { parseArgs } from 'node:util';

/** An error that the operator can correct. The command prints its message without a stack trace. */
export class MoveInError extends Error {
  override readonly name = 'MoveInError';
  /** Whether the command line is wrong, so that the usage helps. */
  readonly isUsage: boolean;

  constructor(message: string, { isUsage = false } = {}) {
    super(message);
    this.isUsage = isUsage;
  }
}

/** How orders without a record in the topic are moved. */
export type Unsent = 'pending' | 'confirmed';

export interface MoveInCommand {
  /** URL of the legacy order service's database. */
  readonly orderDb: string;
  /** URL of the legacy stock service's database. */
  readonly stockDb: string;
  /** Brokers of the legacy system: host:port, separated by commas. */
  readonly kafka: string;
  /** Consumer group of the legacy stock service. */
  readonly group: string;
  readonly topic: string;
  readonly unsent: Unsent | undefined;
  /** File for all problems; undefined: only the first ones are printed. */
  readonly report: string | undefined;
  readonly dryRun: boolean;
}

export const USAGE = `Usage: npm run move-in -- --order-db <url> --stock-db <url> --kafka <brokers> --group <group>

Moves the stocks and orders of the legacy system into the databases of ORDER_DATABASE_URL and
STOCK_DATABASE_URL. Both stock services must be stopped. The legacy databases are only read.

  --order-db <url>    the legacy order service's database: postgresql://user:password@host:5432/name
  --stock-db <url>    the legacy stock service's database
  --kafka <brokers>   the legacy system's Kafka: host:port, separated by commas
  --group <group>     the consumer group of the legacy stock service
  --topic <topic>     the topic of the orders; default order_created
  --unsent <status>   what becomes of orders without a record in the topic: pending or confirmed
  --report <file>     writes all problems to a file, one JSON object per line
  --dry-run           shows what would be moved, and changes nothing; all services may be running

KAFKA_TLS and KAFKA_SASL_* apply to the connection with Kafka.
`;

const TEXT = { type: 'string' } as const;
const OPTIONS = {
  'order-db': TEXT,
  'stock-db': TEXT,
  kafka: TEXT,
  group: TEXT,
  topic: { ...TEXT, default: 'order_created' },
  unsent: TEXT,
  report: TEXT,
  'dry-run': { type: 'boolean', default: false },
} as const;
const REQUIRED = ['order-db', 'stock-db', 'kafka', 'group'] as const;

/**
 * Parses a command line.
 * @param words the arguments after the program's name
 * @throws {MoveInError} if an argument is missing or not allowed; the message says what is allowed
 */
export function parseCommand(words: readonly string[]): MoveInCommand {
  const values = parseWords(words);
  const missing = REQUIRED.filter((name) => !values[name]);
  if (missing.length > 0) {
    const names = missing.map((name) => `--${name}`).join(', ');
    throw new MoveInError(`${names} must be given`, { isUsage: true });
  }
  for (const name of ['order-db', 'stock-db'] as const) assertPostgresUrl(name, values[name]);
  const { unsent } = values;
  if (unsent !== undefined && unsent !== 'pending' && unsent !== 'confirmed') {
    throw new MoveInError('--unsent must be pending or confirmed', { isUsage: true });
  }
  return {
    orderDb: values['order-db'] ?? '',
    stockDb: values['stock-db'] ?? '',
    kafka: values.kafka ?? '',
    group: values.group ?? '',
    topic: values.topic,
    unsent,
    report: values.report,
    dryRun: values['dry-run'],
  };
}

function parseWords(words: readonly string[]) {
  try {
    return parseArgs({ args: [...words], options: OPTIONS }).values;
  } catch (error) {
    throw new MoveInError((error as Error).message, { isUsage: true });
  }
}

function assertPostgresUrl(name: string, value: string | undefined): void {
  if (value && URL.canParse(value) && /^postgres(ql)?:$/.test(new URL(value).protocol)) return;
  throw new MoveInError(`--${name} must be the URL of a PostgreSQL database, postgresql://…`, {
    isUsage: true,
  });
}
