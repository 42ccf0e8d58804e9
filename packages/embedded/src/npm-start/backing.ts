import type { StartSettings } from './start-settings.ts';

/** What the services stand on. */
export interface Backing {
  databases: { order: string; stock: string };
  brokers: string;
}

/** The user's own servers, or those that are going to be started. */
export function createBacking({ databases, brokers, ports }: StartSettings): Backing {
  const server = `postgresql://postgres@127.0.0.1:${ports.postgres}`;
  return {
    databases: databases ?? { order: `${server}/order_db`, stock: `${server}/stock_db` },
    brokers: brokers ?? `127.0.0.1:${ports.kafka}`,
  };
}
