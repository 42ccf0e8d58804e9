import { gudangDirectory } from '../gudang-directory.ts';

interface StartSetting {
  description: string;
  default?: string;
}

/** The settings of `npm start` itself. Each service has its own table of settings. */
export const startSettingsTable = {
  GUDANG_DIR: {
    description: 'The folder for data, logs and Kafka’s jars, kept between starts',
    default: '.gudang',
  },
  ORDER_DATABASE_URL: {
    description: 'Your own PostgreSQL, which npm start then uses instead of starting one',
  },
  STOCK_DATABASE_URL: { description: 'The same for the stock subgraph; set both or neither' },
  KAFKA_BROKERS: {
    description: 'Your own Kafka, which npm start then uses instead of starting one',
  },
  POSTGRES_PORT: {
    description: 'The port of the embedded PostgreSQL',
    default: '54329',
  },
  KAFKA_PORT: { description: 'The port of the embedded Kafka', default: '9092' },
  GATEWAY_PORT: { description: 'The port of the gateway', default: '4000' },
  ORDER_PORT: { description: 'The port of the order subgraph', default: '8000' },
  STOCK_PORT: { description: 'The port of the stock subgraph', default: '8001' },
} as const satisfies Record<string, StartSetting>;

const PORTS = {
  postgres: 'POSTGRES_PORT',
  kafka: 'KAFKA_PORT',
  gateway: 'GATEWAY_PORT',
  order: 'ORDER_PORT',
  stock: 'STOCK_PORT',
} as const;

export type PartName = keyof typeof PORTS;

export interface StartSettings {
  directory: string;
  /** The user's own databases; undefined if `npm start` starts PostgreSQL. */
  databases: { order: string; stock: string } | undefined;
  /** The user's own Kafka; undefined if `npm start` starts Kafka. */
  brokers: string | undefined;
  ports: Record<PartName, number>;
  /**
   * The parts whose configured port is invalid. For these parts, `ports` contains the default port.
   */
  badPorts: readonly PartName[];
}

/** Returns the settings and one line for each problem. */
export function readStartSettings(env: NodeJS.ProcessEnv): {
  settings: StartSettings;
  problems: string[];
} {
  const order = env.ORDER_DATABASE_URL?.trim() || undefined;
  const stock = env.STOCK_DATABASE_URL?.trim() || undefined;
  const brokers = env.KAFKA_BROKERS?.trim() || undefined;
  const problems: string[] = [];
  if (!order !== !stock) {
    const [given, missing] = order
      ? ['ORDER_DATABASE_URL', 'STOCK_DATABASE_URL']
      : ['STOCK_DATABASE_URL', 'ORDER_DATABASE_URL'];
    problems.push(
      `${missing} is missing but ${given} is set: set both to use your own PostgreSQL, ` +
        'or neither to have one started',
    );
  }
  const used = (Object.keys(PORTS) as PartName[]).filter(
    (part) => !(part === 'postgres' && order && stock) && !(part === 'kafka' && brokers),
  );
  const ports = Object.fromEntries(
    Object.entries(PORTS).map(([part, name]) => [part, portOf(env, name)]),
  ) as Record<PartName, number>;
  for (const part of used) {
    const name = PORTS[part];
    if (!Number.isNaN(ports[part])) continue;
    const value = JSON.stringify(env[name]);
    problems.push(`${name}: ${value} is not allowed; a whole number from 1 to 65535`);
  }
  problems.push(...samePorts(used, ports));
  const databases = order && stock ? { order, stock } : undefined;
  const directory = gudangDirectory(env);
  const badPorts = used.filter((part) => Number.isNaN(ports[part]));
  // Replace an invalid port by its default, so that no service reports a second problem for the
  // same setting.
  for (const part of badPorts) ports[part] = Number(startSettingsTable[PORTS[part]].default);
  return { settings: { directory, databases, brokers, ports, badPorts }, problems };
}

/** Returns the name of the setting for a part's port. */
export function portSetting(part: PartName): string {
  return PORTS[part];
}

function portOf(env: NodeJS.ProcessEnv, name: (typeof PORTS)[PartName]): number {
  const text = env[name]?.trim() || startSettingsTable[name].default;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  return port >= 1 && port <= 65_535 ? port : Number.NaN;
}

function samePorts(used: PartName[], ports: Record<PartName, number>): string[] {
  return used.flatMap((part, i) =>
    used
      .slice(i + 1)
      .filter((other) => ports[other] === ports[part])
      .map((other) => `${PORTS[part]} and ${PORTS[other]} are both ${ports[part]}`),
  );
}
