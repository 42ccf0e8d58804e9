import { type RunningOrderWatcher, startOrderWatcher } from '@gudang/testing/clients/order-watcher';
import { eventually } from '@gudang/testing/eventually';
import type { Acknowledged, Told } from '../history.ts';
import type { Rig } from '../rig/rig.ts';
import { ask } from './ask.ts';
import type { Product } from './products.ts';
import { type RunningWatcher, startWatcher } from './watcher.ts';

/** All live clients of one fault. */
export interface Watchers {
  /** Watches the products from now on. */
  readonly watch: (name: string, url: () => string) => Promise<RunningWatcher>;
  /** Follows some of the orders that it is told of. */
  readonly mayFollow: (order: Acknowledged) => void;
  readonly told: () => Pick<Told, 'watchers' | 'orderWatchers'>;
  readonly close: () => Promise<void>;
}

/** One order of so many is followed, up to a limit: each is a connection. */
const FOLLOWED_OF = 5;
const FOLLOWED_LIMIT = 20;

export function createWatchers(rig: Rig, products: readonly Product[], label: string): Watchers {
  const watchers: RunningWatcher[] = [];
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
      const position = await whereStocksAre(
        url(),
        products.map(({ id }) => id),
      );
      const watcher = await startWatcher({ name: `${label} ${name}`, url, ...position });
      watchers.push(watcher);
      return watcher;
    },
    mayFollow: ({ id }) => {
      orders += 1;
      if (orders % FOLLOWED_OF === 0 && following.length < FOLLOWED_LIMIT) follow(id);
    },
    told: () => ({
      watchers: watchers.map((watcher) => watcher.watched()),
      orderWatchers: following.map((watcher) => watcher.watched()),
    }),
    close: async () => {
      await Promise.all([...watchers, ...following].map((watcher) => watcher.close()));
    },
  };
}

/** A cursor, and the version that each stock has at it; 0 for one still to come. */
async function whereStocksAre(url: string, ids: readonly string[]) {
  const fields = ids.map((_id, index) => `s${index}: stock(id: $s${index}) { version }`);
  const query = `query (${ids.map((_id, index) => `$s${index}: ID!`)}) { stockCursor ${fields.join(' ')} }`;
  const variables = Object.fromEntries(ids.map((id, index) => [`s${index}`, id]));
  const answer = await eventually(
    () => ask<Record<string, { version: number } | string | null>>(url, query, variables),
    ({ kind }) => kind === 'data',
    { until: 'the stocks and their cursor are known' },
  );
  if (answer.kind !== 'data') throw new Error('The stocks are not known');
  const { stockCursor, ...stocks } = answer.data;
  const versionOf = (index: number): number =>
    (stocks[`s${index}`] as { version: number } | null)?.version ?? 0;
  return {
    after: String(stockCursor),
    since: new Map(ids.map((id, index) => [id, versionOf(index)])),
  };
}
