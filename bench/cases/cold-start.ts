import { setTimeout as pause } from 'node:timers/promises';
import { dataOf } from '@gudang/testing/clients/graph-client';
import { createStockSubscriber } from '@gudang/testing/clients/stock-subscriber';
import { eventually } from '@gudang/testing/eventually';
import type { Bench, BenchCase } from '../suite/bench-case.ts';
import type { BenchRig } from '../suite/bench-rig.ts';
import { type Figure, median } from '../suite/figure.ts';
import { ORDER } from './queries.ts';

/** Number of orders that are measured after a start, and again when the processes are warm. */
const MEASURED = 30;
/** Number of orders between the two measurements. */
const BETWEEN = 300;
/** Time between two orders, in milliseconds. */
const EVERY_MS = 100;
const BETWEEN_EVERY_MS = 20;
const WITHIN_MS = 30_000;
/** Limit of the first orders' p50, as a multiple of that of warm processes. */
const BAR = { atMost: 1.3 };

/**
 * Restarts the services, and measures the time from an order to its change at a subscriber of the gateway: of
 * the first orders, and of later ones.
 */
async function runColdStart({ rig: getRig, rounds, quick }: Bench): Promise<Figure[]> {
  const rig = await getRig();
  const first: number[] = [];
  const warm: number[] = [];
  const ready: number[] = [];
  for (let round = 0; round < (quick ? 2 : rounds.count); round += 1) {
    await rig.settled();
    const parts = [rig.order, rig.stock, rig.gateway];
    // A consumer that is killed would remain in its group until its session times out.
    await Promise.all(parts.map((part) => part.stop()));
    const from = performance.now();
    await Promise.all(parts.map((part) => part.restart()));
    await Promise.all(parts.map((part) => part.ready()));
    ready.push((performance.now() - from) / 1_000);
    const client = await subscribe(rig);
    try {
      first.push(median(await client.order(MEASURED, EVERY_MS)));
      await client.order(BETWEEN, BETWEEN_EVERY_MS);
      warm.push(median(await client.order(MEASURED, EVERY_MS)));
    } finally {
      client.cut();
    }
  }
  const ratios = first.map((value, round) => value / (warm[round] ?? Number.NaN));
  return [
    { name: 'all services are ready', unit: 's', values: ready },
    { name: `p50 of the first ${MEASURED} orders`, unit: 'ms', values: first },
    { name: `p50 of ${MEASURED} orders later`, unit: 'ms', values: warm },
    { name: 'first / later', unit: '×', values: ratios, bar: BAR },
  ];
}

/** Connects a subscriber of all stocks, which also creates orders and measures the times to their pushes. */
async function subscribe({ graph, graphUrl, stockIds }: BenchRig) {
  const pushed = new Map<string, number>();
  const subscriber = createStockSubscriber(graphUrl.replace('http', 'ws'), {
    onChange: ({ order }) => void (order && pushed.set(order.id, performance.now())),
  });
  await subscriber.connect();
  const orderOne = async (number: number): Promise<{ id: string; at: number }> => {
    const at = performance.now();
    const input = { productId: stockIds[number % stockIds.length], quantity: 1 };
    const { createOrder } = await dataOf(graph(ORDER, { input }));
    return { id: createOrder.id, at };
  };
  return {
    order: async (count: number, everyMs: number): Promise<number[]> => {
      const sent: Promise<{ id: string; at: number }>[] = [];
      for (let number = 0; number < count; number += 1) {
        sent.push(orderOne(number));
        await pause(everyMs);
      }
      const orders = await Promise.all(sent);
      await eventually(
        () => orders.filter(({ id }) => !pushed.has(id)).length,
        (left) => left === 0,
        { until: 'all orders are pushed', within: WITHIN_MS },
      );
      return orders.map(({ id, at }) => (pushed.get(id) ?? Number.NaN) - at);
    },
    cut: subscriber.cut,
  };
}

export const coldStart: BenchCase = {
  name: 'cold-start',
  about: `the first ${MEASURED} orders after a start: time to the push, beside warm processes`,
  run: runColdStart,
};
