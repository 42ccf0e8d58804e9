import type { Bench, BenchCase } from '../suite/bench-case.ts';
import type { BenchRig } from '../suite/bench-rig.ts';
import type { Bar, Figure } from '../suite/figure.ts';
import { median } from '../suite/figure.ts';
import type { Load } from '../suite/http-load.ts';
import { measureLoads } from '../suite/measure-load.ts';
import { ORDER } from './queries.ts';

const CLIENTS = [1, 20, 100];

function restLoad(rig: BenchRig, clients: number): Load {
  const body = (turn: number): string =>
    JSON.stringify({ productid: productOf(rig, turn), quantity: 1 });
  return { url: `${rig.order.url}/order/add-order`, body, clients };
}

export function graphLoad(rig: Pick<BenchRig, 'graphUrl' | 'stockIds'>, clients: number): Load {
  const body = (turn: number): string => {
    const input = { productId: productOf(rig, turn), quantity: 1 };
    return JSON.stringify({ query: ORDER, variables: { input } });
  };
  return { url: rig.graphUrl, body, clients };
}

function productOf({ stockIds }: Pick<BenchRig, 'stockIds'>, turn: number): string {
  return stockIds[turn % stockIds.length] ?? '';
}

const REST_BARS: Readonly<Record<number, Readonly<Record<string, Bar>>>> = {
  1: { p50: { atMost: 10 } },
  100: {
    rate: { atLeast: 1_500 },
    'CPU order': { atMost: 500 },
    'CPU postgres, total': { atMost: 500 },
  },
};

/** Measures the total CPU time of an order. A round ends when all its orders are settled. */
async function run(
  { rig: getRig, rounds }: Bench,
  load: (rig: BenchRig) => Load,
  bars: Readonly<Record<string, Bar>>,
): Promise<Figure[]> {
  const rig = await getRig();
  return measureLoads(
    [
      {
        label: '',
        load: load(rig),
        readCpu: rig.readCpu,
        drain: rig.settled,
        bars,
        memory: { order: rig.order.pid, stock: rig.stock.pid, gateway: rig.gateway.pid },
      },
    ],
    rounds,
  );
}

/**
 * Adds a figure: the sum of the CPU times of the gateway and the order subgraph. With 100 clients,
 * this sum has a limit.
 */
function together(figures: readonly Figure[], clients: number): Figure[] {
  const of = (name: string) => figures.find((figure) => figure.name === name)?.values ?? [];
  const order = of('CPU order');
  const values = of('CPU gateway').map((value, index) => value + (order[index] ?? 0));
  if (Number.isNaN(median(values)))
    throw new Error('The CPU figures of gateway and order are missing');
  const bar = clients === 100 ? { atMost: 2_000 } : undefined;
  return [...figures, { name: 'CPU gateway and order', unit: 'µs', values, bar }];
}

export const orders: readonly BenchCase[] = CLIENTS.flatMap((clients) => [
  {
    name: `order-rest-${clients}`,
    about: `orders by REST from ${clients} ${clients === 1 ? 'client' : 'clients'}, all CPU until they are settled`,
    run: (bench: Bench) => run(bench, (rig) => restLoad(rig, clients), REST_BARS[clients] ?? {}),
  },
  {
    name: `order-graph-${clients}`,
    about: `orders through the graph from ${clients} ${clients === 1 ? 'client' : 'clients'}, all CPU until they are settled`,
    run: async (bench: Bench) =>
      together(await run(bench, (rig) => graphLoad(rig, clients), {}), clients),
  },
]);
