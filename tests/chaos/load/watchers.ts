import { type RunningOrderWatcher, startOrderWatcher } from '@gudang/testing/clients/order-watcher';
import { eventually } from '@gudang/testing/eventually';
import type { Acknowledged, Observations } from '../history.ts';
import type { Rig } from '../rig/rig.ts';
import { sendGraphRequest } from './graph-request.ts';
import type { Product } from './products.ts';
import { type RunningStockWatcher, startStockWatcher } from './stock-watcher.ts';

/** All subscribers of one fault. */
export interface Watchers {
  /** Starts a subscriber to the fault's products. */
  readonly watch: (name: string, url: () => string) => Promise<RunningStockWatcher>;
  /** Subscribes to the order if it is part of the sample. */
  readonly sampleOrder: (order: Acknowledged) => void;
  readonly observed: () => Pick<Observations, 'watchers' | 'orderWatchers'>;
  readonly close: () => Promise<void>;
}

/** Every fifth order is followed, up to a limit, because each followed order needs a connection. */
const FOLLOWED_OF = 5;
const FOLLOWED_LIMIT = 20;

export function createWatchers(rig: Rig, products: readonly Product[], label: string): Watchers {
  const watchers: RunningStockWatcher[] = [];
  const following: RunningOrderWatcher[] = [];
  let orders = 0;

  const follow = (orderId: string): void => {
    const index = following.length;
    const replicaUrl = (): string => rig.orders[index % rig.orders.length]?.url ?? '';
    const lasting = index % 2 === 0;
    following.push(
      startOrderWatcher({
        name: `${label} order watcher ${index}${lasting ? ', through the gateway' : ''}`,
        url: lasting ? () => rig.gateway.url : replicaUrl,
        orderId,
        lasting,
      }),
    );
  };

  return {
    watch: async (name, url) => {
      const position = await readStockPositions(
        url(),
        products.map(({ id }) => id),
      );
      const watcher = await startStockWatcher({ name: `${label} ${name}`, url, ...position });
      watchers.push(watcher);
      return watcher;
    },
    sampleOrder: ({ id }) => {
      orders += 1;
      if (orders % FOLLOWED_OF === 0 && following.length < FOLLOWED_LIMIT) follow(id);
    },
    observed: () => ({
      watchers: watchers.map((watcher) => watcher.watched()),
      orderWatchers: following.map((watcher) => watcher.watched()),
    }),
    close: async () => {
      await Promise.all([...watchers, ...following].map((watcher) => watcher.close()));
    },
  };
}

/**
 * Reads a cursor and the version of each stock at that cursor. The version is 0 if the stock does not
 * exist yet.
 */
async function readStockPositions(url: string, ids: readonly string[]) {
  const fields = ids.map((_id, index) => `s${index}: stock(id: $s${index}) { version }`);
  const query = `query (${ids.map((_id, index) => `$s${index}: ID!`)}) { stockCursor ${fields.join(' ')} }`;
  const variables = Object.fromEntries(ids.map((id, index) => [`s${index}`, id]));
  const answer = await eventually(
    () =>
      sendGraphRequest<Record<string, { version: number } | string | null>>(url, query, variables),
    ({ kind }) => kind === 'data',
    { until: 'the stocks and their cursor are read' },
  );
  if (answer.kind !== 'data') throw new Error('The stocks could not be read');
  const { stockCursor, ...stocks } = answer.data;
  const versionOf = (index: number): number =>
    (stocks[`s${index}`] as { version: number } | null)?.version ?? 0;
  return {
    after: String(stockCursor),
    since: new Map(ids.map((id, index) => [id, versionOf(index)])),
  };
}
