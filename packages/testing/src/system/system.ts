import { fileURLToPath } from 'node:url';
import { createTestDatabase, type TestDatabase, testTopicPrefix } from '@gudang/embedded/testing';
import { type Graph, graphAt } from '../clients/graph-client.ts';
import { type LiveClient, type LiveOptions, startLiveClient } from '../clients/live-client.ts';
import { type Databases, openDatabases, setSessionDefaults } from './databases.ts';
import {
  type Environment,
  type ServiceProcess,
  startServiceProcess,
  tail,
} from './service-process.ts';

export type Service = 'order' | 'stock' | 'gateway';

/** A connection from a service to one of its dependencies. */
export interface Link {
  readonly from: Service;
  readonly to: 'postgres' | 'kafka' | 'order' | 'stock';
}

export interface SystemOptions {
  /** URL of the maintenance database; the system creates two databases on that server. */
  readonly postgresUrl: string;
  /** Addresses of Kafka. The system's topics have a prefix that no other system uses. */
  readonly kafkaBrokers: string;
  /**
   * Number of processes of each service; default 1. Gateways use the first process of each
   * subgraph.
   */
  readonly orders?: number;
  readonly stocks?: number;
  readonly gateways?: number;
  /** Settings that override the defaults: for all processes, and for each service. */
  readonly environment?: Partial<Record<Service | 'all', Environment>>;
  /** Defaults of sessions in both databases, set by `ALTER DATABASE` before the services start. */
  readonly sessionDefaults?: Readonly<Record<string, string>>;
  /**
   * Redirects a connection, for example through a proxy. Receives the default address (a database's
   * URL, `host:port`, a subgraph's URL) and returns the address to use.
   */
  readonly through?: (link: Link, address: string) => string | Promise<string>;
}

export interface System {
  readonly orders: readonly ServiceProcess[];
  readonly stocks: readonly ServiceProcess[];
  readonly gateways: readonly ServiceProcess[];
  /** The first process of each service. */
  readonly order: ServiceProcess;
  readonly stock: ServiceProcess;
  readonly gateway: ServiceProcess;
  /** All processes in start order. */
  readonly parts: () => readonly ServiceProcess[];
  /** Starts one more process of a service; resolves once it is ready. */
  readonly add: (service: Service, environment?: Environment) => Promise<ServiceProcess>;
  /** Sends operations to the first gateway over HTTP. */
  readonly graph: Graph;
  /** Subscribes through the first gateway unless `url` is set. */
  // biome-ignore lint/suspicious/noExplicitAny: events of any shape, asserted on by the test
  readonly live: <T = any>(
    options: Omit<LiveOptions<T>, 'url'> & Partial<LiveOptions<T>>,
  ) => Promise<LiveClient<T>>;
  readonly databases: Databases;
  readonly databaseUrls: { readonly order: string; readonly stock: string };
  readonly kafkaBrokers: string;
  readonly topicPrefix: string;
  /** The last lines of each process's output. */
  readonly logs: (lines?: number) => string;
  /**
   * Stops all processes with SIGTERM and drops the databases.
   * @throws if a process does not end in time, or ends with an exit code other than 0
   */
  readonly stop: () => Promise<void>;
}

const repository = new URL('../../../../', import.meta.url);
const FOLDERS = { order: 'order-subgraph', stock: 'stock-subgraph', gateway: 'gateway' } as const;

/** Returns the path of a service's entry point in the production build. */
export function scriptOf(service: Service): string {
  return fileURLToPath(new URL(`${FOLDERS[service]}/dist/main.js`, repository));
}

/**
 * Starts a whole system of production processes with its own databases and topics; resolves once
 * the system is ready.
 */
export async function startSystem(options: SystemOptions): Promise<System> {
  const { postgresUrl, kafkaBrokers, environment = {} } = options;
  const through = options.through ?? ((_link: Link, address: string) => address);
  const topicPrefix = testTopicPrefix();
  const created: TestDatabase[] = [];
  const parts: Record<Service, ServiceProcess[]> = { order: [], stock: [], gateway: [] };
  const all = (): ServiceProcess[] => [...parts.order, ...parts.stock, ...parts.gateway];
  let databases: Databases | undefined;

  const databaseOf = async (service: 'order' | 'stock'): Promise<string> => {
    const database = await createTestDatabase(postgresUrl, service);
    created.push(database);
    return database.url;
  };

  const stop = async (): Promise<void> => {
    const failures: string[] = [];
    const end = async (part: ServiceProcess): Promise<void> => {
      const ran = part.running();
      const inTime = await part.stop();
      const { code, signal } = await part.exited;
      if (!inTime)
        failures.push(`${part.name} did not end in time and was killed:\n${tail(part.output())}`);
      else if (ran && code !== 0) {
        failures.push(
          `${part.name} ended with ${signal ?? `exit code ${code}`}:\n${tail(part.output())}`,
        );
      }
    };
    // As in production, the gateways stop before the subgraphs, because the gateways are the
    // subgraphs' clients.
    await Promise.all(parts.gateway.map(end));
    await Promise.all([...parts.order, ...parts.stock].map(end));
    await databases?.close();
    await Promise.all(created.map((database) => database.drop()));
    if (failures.length > 0) throw new Error(failures.join('\n'));
  };

  try {
    const [order, stock] = await Promise.all([databaseOf('order'), databaseOf('stock')]);
    const databaseUrls = { order, stock };
    databases = openDatabases(databaseUrls);
    for (const url of [order, stock]) await setSessionDefaults(url, options.sessionDefaults ?? {});

    const add = async (service: Service, changes: Environment = {}): Promise<ServiceProcess> => {
      const count = parts[service].length + 1;
      const part = await startServiceProcess({
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
      live: (live) => startLiveClient({ url: graphUrl, ...live }),
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

function first(parts: readonly ServiceProcess[]): ServiceProcess {
  const [part] = parts;
  if (!part) throw new Error('No process of this service is running');
  return part;
}
