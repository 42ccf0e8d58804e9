import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Backing } from './backing.ts';
import type { StartSettings } from './start-settings.ts';

export type ServiceName = 'order' | 'stock' | 'gateway';

export interface ServicePlan {
  /** The file that Node runs. */
  script: string;
  env: NodeJS.ProcessEnv;
  /** Where it answers on this machine. */
  address: string;
}

export type Services = Record<ServiceName, ServicePlan>;

/** Which services are started, and with which environment: what they need is added to that of `npm start`. */
export function planServices(
  root: string,
  env: NodeJS.ProcessEnv,
  { ports }: StartSettings,
  { databases, brokers }: Backing,
): Services {
  const at = (name: ServiceName) => `http://${reachableHost(env.HOST)}:${ports[name]}`;
  const subgraphs = `order=${at('order')}/graphql,stock=${at('stock')}/graphql`;
  // Who asks is told to the subgraphs beside a secret; one for as long as these run will do.
  const asksWho = env.JWT_JWKS_URL?.trim() || env.JWT_SECRET?.trim();
  const proof =
    asksWho && !env.SUBGRAPH_SECRET?.trim()
      ? { SUBGRAPH_SECRET: randomBytes(24).toString('base64url') }
      : {};
  const plan = (name: ServiceName, folder: string, extra: NodeJS.ProcessEnv): ServicePlan => ({
    script: join(root, folder, 'dist/main.js'),
    env: { ...env, ...proof, PORT: String(ports[name]), ...extra },
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

/** The services listen on HOST; one that means all addresses is reached by the loopback one. */
export function reachableHost(host: string | undefined): string {
  const listening = host?.trim();
  if (!listening || listening === '0.0.0.0' || listening === '::') return '127.0.0.1';
  return listening.includes(':') ? `[${listening}]` : listening;
}

/** Where the process id of a running service is kept. */
export function pidFileOf(directory: string, name: ServiceName): string {
  return join(directory, 'run', `${name}.pid`);
}
