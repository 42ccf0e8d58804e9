import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { StartSettings } from './start-settings.ts';

/** The servers that the subgraphs need. */
export interface BackingServers {
  databases: { order: string; stock: string };
  brokers: string;
}

export type ServiceName = 'order' | 'stock' | 'gateway';

export interface ServicePlan {
  /** The file that Node runs. */
  script: string;
  env: NodeJS.ProcessEnv;
  /** The service's address on this machine, such as `http://127.0.0.1:8000`. */
  address: string;
}

export type Services = Record<ServiceName, ServicePlan>;

/** Settings that would name another server than the PostgreSQL that `npm start` starts. */
export const NO_DIRECT_DATABASES = {
  ORDER_DATABASE_DIRECT_URL: '',
  STOCK_DATABASE_DIRECT_URL: '',
};

/**
 * Settings of glibc, as in the images: the threads of a service share one heap, which returns free memory from
 * 1 MiB on. With a heap for each thread and a threshold that grows, a service keeps 12 to 20 MiB more.
 */
const ALLOCATOR = { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '1048576' };

/** Returns the addresses of the user's own servers, or of the servers that `npm start` starts. */
export function createBackingServers({ databases, brokers, ports }: StartSettings): BackingServers {
  const server = `postgresql://postgres@127.0.0.1:${ports.postgres}`;
  return {
    databases: databases ?? { order: `${server}/order_db`, stock: `${server}/stock_db` },
    brokers: brokers ?? `127.0.0.1:${ports.kafka}`,
  };
}

/**
 * Plans the services. Each service gets the environment of `npm start`, its own port and the
 * addresses that it needs.
 */
export function planServices(
  root: string,
  env: NodeJS.ProcessEnv,
  { ports, databases: ownDatabases }: StartSettings,
  { databases, brokers }: BackingServers,
): Services {
  const at = (name: ServiceName) => `http://${reachableHost(env.HOST)}:${ports[name]}`;
  const subgraphs = `order=${at('order')}/graphql,stock=${at('stock')}/graphql`;
  // The gateway uses this secret to prove the caller's identity to the subgraphs. Each start can
  // create a new secret, because all services get theirs from this process.
  const proof =
    tokenSetting(env) && !env.SUBGRAPH_SECRET?.trim()
      ? { SUBGRAPH_SECRET: randomBytes(24).toString('base64url') }
      : {};
  const plan = (name: ServiceName, folder: string, extra: NodeJS.ProcessEnv): ServicePlan => ({
    script: join(root, folder, 'dist/main.js'),
    env: {
      ...ALLOCATOR,
      ...env,
      ...proof,
      ...(ownDatabases ? {} : NO_DIRECT_DATABASES),
      PORT: String(ports[name]),
      ...extra,
    },
    address: at(name),
  });
  return {
    order: plan('order', 'order-subgraph', {
      ORDER_DATABASE_URL: databases.order,
      KAFKA_BROKERS: brokers,
    }),
    stock: plan('stock', 'stock-subgraph', {
      STOCK_DATABASE_URL: databases.stock,
      KAFKA_BROKERS: brokers,
    }),
    gateway: plan('gateway', 'gateway', { SUBGRAPH_URLS: env.SUBGRAPH_URLS?.trim() || subgraphs }),
  };
}

/** Returns the setting by which the services verify tokens; undefined if auth is off. */
export function tokenSetting(env: NodeJS.ProcessEnv): 'JWT_JWKS_URL' | 'JWT_SECRET' | undefined {
  return (['JWT_JWKS_URL', 'JWT_SECRET'] as const).find((name) => env[name]?.trim());
}

/**
 * Returns the host name at which a service that listens on `host` can be reached: the loopback
 * address if `host` means all addresses.
 */
export function reachableHost(host: string | undefined): string {
  const listening = host?.trim();
  if (!listening || listening === '0.0.0.0' || listening === '::') return '127.0.0.1';
  return listening.includes(':') ? `[${listening}]` : listening;
}

/** Returns the path of the file with the process id of a running service. */
export function pidFileOf(directory: string, name: ServiceName): string {
  return join(directory, 'run', `${name}.pid`);
}
