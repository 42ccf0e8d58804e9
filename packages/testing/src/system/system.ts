import { fileURLToPath } from 'node:url';
import { createTestDatabase, type TestDatabase, testTopicPrefix } from '@gudang/embedded/testing';
import { type Graph, graphAt } from '../clients/graph-client.ts';
import { type LiveClient, type LiveOptions, startLive } from '../clients/live-client.ts';
import { type Databases, openDatabases } from './databases.ts';
import { type Environment, type Part, startPart, tail } from './part.ts';

export type Service = 'order' | 'stock' | 'gateway';

/** A connection of a service to what it stands on. */
export interface Link {
  readonly from: Service;
  readonly to: 'postgres' | 'kafka' | 'order' | 'stock';
}

export interface SystemOptions {
  /** Of PostgreSQL's own database; the system gets two databases of its own there. */
  readonly postgresUrl: string;
  /** Its topics get a prefix of their own there. */
  readonly kafkaBrokers: string;
  /** How many of each; 1 unless told otherwise. The gateway asks the first subgraph of each. */
  readonly orders?: number;
  readonly stocks?: number;
  readonly gateways?: number;
  /** Settings over the usual ones: of all processes, and of each kind. */
  readonly environment?: Partial<Record<Service | 'all', Environment>>;
  /**
   * Puts something between two parts, such as a proxy: gets the address that would be used (a
   * database's URL, `host:port`, a subgraph's URL) and gives the one to use.
   */
  readonly through?: (link: Link, address: string) => string | Promise<string>;
}

export interface System {
  readonly orders: readonly Part[];
  readonly stocks: readonly Part[];
  readonly gateways: readonly Part[];
  /** The first ones. */
  readonly order: Part;
  readonly stock: Part;
  readonly gateway: Part;
  /** All of them, in the order in which they were started. */
  readonly parts: () => readonly Part[];
  /** Starts one more of a kind, beside those that run; ready when it resolves. */
  readonly add: (service: Service, environment?: Environment) => Promise<Part>;
  /** Asks the first gateway over HTTP. */
  readonly graph: Graph;
  /** Subscribes at the first gateway, unless a URL is given. */
  // biome-ignore lint/suspicious/noExplicitAny: events of any shape, asserted on by the test
  readonly live: <T = any>(
    options: Omit<LiveOptions<T>, 'url'> & Partial<LiveOptions<T>>,
  ) => Promise<LiveClient<T>>;
  readonly databases: Databases;
  readonly databaseUrls: { readonly order: string; readonly stock: string };
  readonly kafkaBrokers: string;
  readonly topicPrefix: string;
  /** The last lines that each part wrote. */
  readonly logs: (lines?: number) => string;
  /**
   * Ends all parts with SIGTERM and drops the databases.
   * @throws when a part did not end in time, or with another exit code than 0
   */
  readonly stop: () => Promise<void>;
}

const repository = new URL('../../../../', import.meta.url);
const FOLDERS = { order: 'order-subgraph', stock: 'stock-subgraph', gateway: 'gateway' } as const;

/** The file that runs a service in production. */
export function scriptOf(service: Service): string {
  return fileURLToPath(new URL(`${FOLDERS[service]}/dist/main.js`, repository));
}

/** A whole system of real processes, ready, with databases and topics of its own. */
export async function startSystem(options: SystemOptions): Promise<System> {
  const { postgresUrl, kafkaBrokers, environment = {} } = options;
  const through = options.through ?? ((_link: Link, address: string) => address);
  const topicPrefix = testTopicPrefix();
  const created: TestDatabase[] = [];
  const parts: Record<Service, Part[]> = { order: [], stock: [], gateway: [] };
  const all = (): Part[] => [...parts.order, ...parts.stock, ...parts.gateway];
  let databases: Databases | undefined;

  const databaseOf = async (service: 'order' | 'stock'): Promise<string> => {
    const database = await createTestDatabase(postgresUrl, service);
    created.push(database);
    return database.url;
  };

  const stop = async (): Promise<void> => {
    const late: string[] = [];
    const end = async (part: Part): Promise<void> => {
      const ran = part.running();
      const inTime = await part.stop();
      const { code, signal } = await part.exited;
      if (!inTime) late.push(`${part.name} did not end within its time:\n${tail(part.output())}`);
      else if (ran && code !== 0) {
        late.push(
          `${part.name} ended with ${signal ?? `exit code ${code}`}:\n${tail(part.output())}`,
        );
      }
    };
    // Whoever asks goes first, as in production.
    await Promise.all(parts.gateway.map(end));
    await Promise.all([...parts.order, ...parts.stock].map(end));
    await databases?.close();
    await Promise.all(created.map((database) => database.drop()));
    if (late.length > 0) throw new Error(late.join('\n'));
  };

  try {
    const [order, stock] = await Promise.all([databaseOf('order'), databaseOf('stock')]);
    const databaseUrls = { order, stock };
    databases = openDatabases(databaseUrls);

    const add = async (service: Service, changes: Environment = {}): Promise<Part> => {
      const count = parts[service].length + 1;
      const part = await startPart({
        name: count === 1 ? service : `${service}-${count}`,
        script: scriptOf(service),
        environment: {
          PORT: '0',
          LOG_LEVEL: 'info',
          ...(service === 'gateway' ? await gatewayAddresses() : await addresses(service)),
          ...environment.all,
          ...environment[service],
          ...changes,
        },
      });
      parts[service].push(part);
      await part.ready();
      return part;
    };
    const addresses = async (service: 'order' | 'stock'): Promise<Environment> => ({
      [service === 'order' ? 'ORDER_DATABASE_URL' : 'STOCK_DATABASE_URL']: await through(
        { from: service, to: 'postgres' },
        databaseUrls[service],
      ),
      KAFKA_BROKERS: await through({ from: service, to: 'kafka' }, kafkaBrokers),
      KAFKA_TOPIC_PREFIX: topicPrefix,
    });
    const gatewayAddresses = async (): Promise<Environment> => {
      const named = await Promise.all(
        (['order', 'stock'] as const).map(async (to) => {
          const url = `${first(parts[to]).url}/graphql`;
          return `${to}=${await through({ from: 'gateway', to }, url)}`;
        }),
      );
      return { SUBGRAPH_URLS: named.join(',') };
    };
    const several = async (service: Service, count = 1): Promise<void> => {
      await Promise.all(Array.from({ length: count }, () => add(service)));
    };

    await Promise.all([several('order', options.orders), several('stock', options.stocks)]);
    await several('gateway', options.gateways);

    const graphUrl = (): string => `${first(parts.gateway).url}/graphql`;
    return {
      orders: parts.order,
      stocks: parts.stock,
      gateways: parts.gateway,
      order: first(parts.order),
      stock: first(parts.stock),
      gateway: first(parts.gateway),
      parts: all,
      add,
      graph: graphAt(graphUrl),
      live: (live) => startLive({ url: graphUrl, ...live }),
      databases,
      databaseUrls,
      kafkaBrokers,
      topicPrefix,
      logs: (lines) =>
        all()
          .map((part) => `--- ${part.name} (process ${part.pid})\n${tail(part.output(), lines)}`)
          .join('\n'),
      stop,
    };
  } catch (error) {
    const logs = all().map((part) => `--- ${part.name}\n${tail(part.output())}`);
    await stop().catch(() => {});
    throw new Error(`The system did not start: ${(error as Error).message}\n${logs.join('\n')}`);
  }
}

function first(parts: readonly Part[]): Part {
  const [part] = parts;
  if (!part) throw new Error('There is none of this kind');
  return part;
}
