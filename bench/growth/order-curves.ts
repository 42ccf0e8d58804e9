import { eventually } from '@gudang/testing/eventually';
import type { Rounds } from '../suite/bench-case.ts';
import { createCpuProbe } from '../suite/cpu-probe.ts';
import type { Figure } from '../suite/figure.ts';
import { measureCurve, type Point, shownSize } from './curve.ts';
import { productOf } from './fill.ts';
import type { Grown, GrowthServers } from './growth-servers.ts';
import type { Operation } from './operations.ts';
import * as operations from './operations.ts';

const CLIENTS = 20;

/** Both services with databases of a given number of orders. */
export interface GrownPair {
  readonly size: number;
  readonly order: Grown;
  readonly stock: Grown;
}

function pointOf(servers: GrowthServers, { size, order, stock }: GrownPair) {
  const processes = { order: order.part.pid, stock: stock.part.pid };
  const readCpu = createCpuProbe(processes, servers.postgresPid);
  const databases = [`postgres ${order.databaseName}`, `postgres ${stock.databaseName}`];
  return { size, readCpu, of: ['order', 'stock', ...databases] };
}

/**
 * Measures the CPU time of both services and both databases, from the request to the settled order.
 */
export function measureOrders(
  servers: GrowthServers,
  pairs: readonly GrownPair[],
  rounds: Rounds,
): Promise<Figure[]> {
  const points = pairs.map((pair): Point => {
    const { order, stock } = pair;
    const open = async (): Promise<number> => {
      const counts = await Promise.all([
        order.sql<{ n: number }>("SELECT count(*)::int AS n FROM orders WHERE status = 'PENDING'"),
        order.sql<{ n: number }>('SELECT count(*)::int AS n FROM outbox'),
        stock.sql<{ n: number }>('SELECT count(*)::int AS n FROM outbox'),
      ]);
      return counts.reduce((sum, [row]) => sum + (row?.n ?? 0), 0);
    };
    const body = (turn: number): string =>
      JSON.stringify({ productid: productOf(turn), quantity: 1 });
    return {
      ...pointOf(servers, pair),
      load: { url: `${order.part.url}/order/add-order`, body, clients: CLIENTS },
      drain: async () => {
        await eventually(open, (left) => left === 0, {
          until: 'all orders are settled',
          within: 60_000,
        });
      },
    };
  });
  return measureCurve('an order, orders stored', points, rounds);
}

/** Measures pages of orders at the start and deep in the list, for each size of the table. */
export async function measureOrderPages(
  servers: GrowthServers,
  pairs: readonly GrownPair[],
  rounds: Rounds,
): Promise<Figure[]> {
  const figures: Figure[] = [];
  const deep = new Map<GrownPair, string | undefined>();
  const halfway = new Map<GrownPair, string | undefined>();
  const period = new Map<GrownPair, Readonly<Record<string, unknown>>>();
  for (const pair of pairs) {
    deep.set(pair, await operations.cursorAt(pair.order, Math.floor(pair.size * 0.99)));
    halfway.set(pair, await operations.cursorAt(pair.order, Math.floor(pair.size / 2)));
    period.set(pair, await operations.middlePeriod(pair.order, pair.size));
  }
  const product = productOf(7);
  const products = Array.from({ length: 50 }, (_, number) => productOf(number));
  // Each page has the same number of rows at each size. At the smallest size, a product has only
  // ten orders.
  const of = { productId: product, first: 4 };
  const pages: Readonly<Record<string, (pair: GrownPair) => Operation>> = {
    'newest page': () => operations.newestOrders(),
    'page 99% deep': (pair) => operations.newestOrders({ after: deep.get(pair) }),
    'last page': () => operations.lastOrders(),
    'page before 99% deep': (pair) => operations.lastOrders({ before: deep.get(pair) }),
    'page of a product': () => operations.newestOrders(of),
    'page of a product, 50% deep': (pair) =>
      operations.newestOrders({ ...of, after: halfway.get(pair) }),
    'page of a status': () => operations.newestOrders({ status: 'REJECTED' }),
    'page of a status, 50% deep': (pair) =>
      operations.newestOrders({ status: 'REJECTED', after: halfway.get(pair) }),
    'page of a product and a status': () => operations.newestOrders({ ...of, status: 'CONFIRMED' }),
    'page of a product and a status without orders': () =>
      operations.newestOrders({ ...of, status: 'PENDING' }),
    'page of five minutes': (pair) => operations.newestOrders(period.get(pair)),
    'page of a product in five minutes': (pair) =>
      operations.newestOrders({ ...of, ...period.get(pair), first: 3 }),
    'page of a status in five minutes': (pair) =>
      operations.newestOrders({ ...period.get(pair), status: 'CONFIRMED' }),
    'orders of 50 stocks': () => operations.ordersOfStocks(products),
  };
  const pointsOf = (make: (pair: GrownPair) => Operation): Point[] =>
    pairs.map((pair) => {
      const text = JSON.stringify(make(pair));
      const load = { url: `${pair.order.part.url}/graphql`, body: () => text, clients: 2 };
      return {
        ...pointOf(servers, pair),
        of: ['order', `postgres ${pair.order.databaseName}`],
        load,
      };
    });
  // This run is a warm-up: a process that has just started needs several times as much CPU time.
  await measureCurve(
    '',
    pointsOf(() => operations.newestOrders()),
    { count: 1, ms: 3_000, warmUpMs: 0 },
  );
  for (const [name, make] of Object.entries(pages)) {
    figures.push(...(await measureCurve(`${name}, orders stored`, pointsOf(make), rounds)));
  }
  return figures;
}

/** Measures pages of one table at increasing depths. */
export async function measureDepths(
  servers: GrowthServers,
  pair: GrownPair,
  rounds: Rounds,
): Promise<Figure[]> {
  const depths = [0, 1_000, 100_000, 1_000_000, 9_900_000].filter((depth) => depth < pair.size);
  const points: Point[] = [];
  for (const depth of depths) {
    const after = depth === 0 ? undefined : await operations.cursorAt(pair.order, depth);
    const text = JSON.stringify(operations.newestOrders({ after }));
    const load = { url: `${pair.order.part.url}/graphql`, body: () => text, clients: 2 };
    const of = ['order', `postgres ${pair.order.databaseName}`];
    points.push({ ...pointOf(servers, pair), size: depth, of, load });
  }
  return measureCurve(`a page of ${shownSize(pair.size)} orders, depth`, points, rounds);
}
