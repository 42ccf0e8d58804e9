import { eventually } from '@gudang/testing/eventually';
import type { Rounds } from '../suite/bench-case.ts';
import { createCpuProbe } from '../suite/cpu-probe.ts';
import type { Figure } from '../suite/figure.ts';
import { growthOf, measureCurve, type Point } from './curve.ts';
import type { Grown, GrowthServers } from './growth-servers.ts';
import * as operations from './operations.ts';
import { startWatchers } from './watchers.ts';

/** Number of stocks that the load changes. Subscribers watch other stocks. */
const CHANGED = 500;
const CLIENTS = 20;
const WATCHERS = [0, 100, 10_000];

/** The stock service with a database of a given number of stocks. */
export interface GrownStocks {
  readonly size: number;
  readonly stock: Grown;
}

function pointOf(servers: GrowthServers, { size, stock }: GrownStocks) {
  const readCpu = createCpuProbe({ stock: stock.part.pid }, servers.postgresPid);
  return { size, readCpu, of: ['stock', `postgres ${stock.databaseName}`] };
}

const ADJUST = 'mutation ($id: ID!) { adjustStock(id: $id, delta: 1) { version } }';

function changing(servers: GrowthServers, grown: GrownStocks): Point {
  const { stock } = grown;
  const body = (turn: number): string =>
    JSON.stringify({ query: ADJUST, variables: { id: `stock-${turn % CHANGED}` } });
  const waiting = async (): Promise<number> =>
    (await stock.sql<{ n: number }>('SELECT count(*)::int AS n FROM outbox'))[0]?.n ?? 0;
  return {
    ...pointOf(servers, grown),
    load: { url: `${stock.part.url}/graphql`, body, clients: CLIENTS },
    drain: async () => {
      await eventually(waiting, (left) => left === 0, {
        until: 'all events are sent',
        within: 60_000,
      });
    },
  };
}

/**
 * Measures a change of a stock, from the request until the change has reached the change feed of
 * each replica.
 */
export function measureChanges(
  servers: GrowthServers,
  sizes: readonly GrownStocks[],
  rounds: Rounds,
): Promise<Figure[]> {
  const points = sizes.map((grown) => changing(servers, grown));
  return measureCurve('a change, stocks stored', points, rounds);
}

/**
 * Measures a change of a stock that has no subscribers, with increasing numbers of subscribers to
 * other stocks.
 */
export async function measureWatched(
  servers: GrowthServers,
  grown: GrownStocks,
  rounds: Rounds,
): Promise<Figure[]> {
  const name = 'a change, watchers of other stocks';
  const others = Array.from(
    { length: grown.size - CHANGED },
    (_, number) => `stock-${CHANGED + number}`,
  );
  const curve: Figure[] = [];
  for (const count of WATCHERS) {
    const watchers = await startWatchers(grown.stock.part.url, others, count);
    try {
      const point = { ...changing(servers, grown), size: count };
      curve.push(...(await measureCurve(name, [point], rounds)));
      if (watchers.events() > 0) throw new Error('A subscriber received an event of another stock');
    } finally {
      watchers.close();
    }
  }
  const growth = growthOf(name, curve);
  return growth ? [...curve, growth] : curve;
}

/** Measures pages of stocks and of their ledgers, for each size of the table. */
export async function measureStockPages(
  servers: GrowthServers,
  sizes: readonly GrownStocks[],
  rounds: Rounds,
): Promise<Figure[]> {
  const figures: Figure[] = [];
  const ids = Array.from({ length: 50 }, (_, number) => `stock-${number}`);
  const pages: Readonly<Record<string, (grown: GrownStocks) => Promise<operations.Operation>>> = {
    'newest page of stocks': async () => operations.newestStocks(),
    'page of stocks, 99% deep': async ({ size, stock }) =>
      operations.newestStocks({ after: await operations.cursorAt(stock, Math.floor(size * 0.99)) }),
    'page of stocks by name, halfway': async ({ stock }) =>
      operations.newestStocks({
        sort: 'NAME_ASC',
        after: await operations.middleCursor(stock, 'NAME_ASC'),
      }),
    'page of stocks by quantity': async () => operations.newestStocks({ sort: 'QUANTITY_ASC' }),
    'page of the newest stocks with little quantity': async () =>
      operations.newestStocks({ quantityAtMost: 20 }),
    'search that finds much': async () => operations.newestStocks({ search: 'barang' }),
    'search that finds nothing': async () => operations.newestStocks({ search: 'kopi luwak' }),
    'ledgers of 50 stocks': async () => operations.movementsOf(ids),
  };
  for (const [name, make] of Object.entries(pages)) {
    const points: Point[] = [];
    for (const grown of sizes) {
      const text = JSON.stringify(await make(grown));
      const load = { url: `${grown.stock.part.url}/graphql`, body: () => text, clients: 2 };
      points.push({ ...pointOf(servers, grown), load });
    }
    figures.push(...(await measureCurve(`${name}, stocks stored`, points, rounds)));
  }
  return figures;
}
