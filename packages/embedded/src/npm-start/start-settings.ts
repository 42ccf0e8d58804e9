import { gudangDirectory } from '../gudang-directory.ts';

interface StartSetting {
  description: string;
  default?: string;
}

/** What `npm start` itself reads from the environment; each service has a table of its own. */
export const startSettingsTable = {
  GUDANG_DIR: {
    description: 'Where npm start keeps data, logs and Kafka itself between starts',
    default: '.gudang',
  },
  ORDER_DATABASE_URL: { description: 'A PostgreSQL of your own; then none is started' },
  STOCK_DATABASE_URL: { description: 'The same for stock; set both or none' },
  KAFKA_BROKERS: { description: 'A Kafka of your own; then none is started' },
  POSTGRES_PORT: {
    description: 'The port of the PostgreSQL that npm start starts',
    default: '54329',
  },
  KAFKA_PORT: { description: 'The port of the Kafka that npm start starts', default: '9092' },
  GATEWAY_PORT: { description: 'The port npm start gives the gateway', default: '4000' },
  ORDER_PORT: { description: 'The port npm start gives the order subgraph', default: '8000' },
  STOCK_PORT: { description: 'The port npm start gives the stock subgraph', default: '8001' },
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
  /** Both, when they are the user's own; undefined when PostgreSQL is to be started. */
  databases: { order: string; stock: string } | undefined;
  /** Undefined when Kafka is to be started. */
  brokers: string | undefined;
  ports: Record<PartName, number>;
  /** Those whose port cannot be: their problem is told, and nothing is started. */
  badPorts: readonly PartName[];
}

/** The settings, and everything that is wrong with them, a readable line each. */
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
      `${missing} is missing beside ${given}: set both to use a PostgreSQL of your own, ` +
        'or none to have one started',
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
  // What is derived from a bad port is planned with its default, so that no service finds fault with it too.
  for (const part of badPorts) ports[part] = Number(startSettingsTable[PORTS[part]].default);
  return { settings: { directory, databases, brokers, ports, badPorts }, problems };
}

/** The setting that moves a part to another port. */
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
