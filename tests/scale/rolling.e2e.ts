import { graphAt } from '@gudang/testing/clients/graph-client';
import { startOrderWatcher } from '@gudang/testing/clients/order-watcher';
import { createShopClient } from '@gudang/testing/clients/shop-client';
import { startVerifyingSubscriber } from '@gudang/testing/clients/verifying-subscriber';
import { eventually } from '@gudang/testing/eventually';
import {
  type ReplicatedSystem,
  startReplicatedSystem,
} from '@gudang/testing/system/replicated-system';
import type { Service } from '@gudang/testing/system/system';
import { afterAll, afterEach, beforeAll, expect, inject, it } from 'vitest';
import { startCollector } from '../trace/collector.ts';
import { traceOneOrder } from '../trace/traced-order.ts';
import { startSteadyTraffic } from './steady-traffic.ts';

const REPLICAS = 2;
const SERVICES: readonly Service[] = ['order', 'stock', 'gateway'];
const INITIAL = 1_000_000;
const PRODUCTS = ['kopi', 'teh', 'gula', 'sambal'];
const WITNESSES = 3;
/** Maximum number of followed orders. Each followed order needs a connection. */
const FOLLOWED = 20;
const FOLLOWED_OF = 10;
const SETTLES_WITHIN_MS = 20_000;
const ALL_WITHIN_MS = 300_000;

let collector: Awaited<ReturnType<typeof startCollector>>;
let replicated: ReplicatedSystem;

beforeAll(async () => {
  collector = await startCollector();
  replicated = await startReplicatedSystem(REPLICAS, {
    postgresUrl: inject('postgresUrl'),
    kafkaBrokers: inject('kafkaBrokers'),
    environment: {
      all: {
        // The drain time is longer than a client's maximum pause between requests. On each reused
        // connection, the client therefore receives `connection: close` before the server stops.
        DRAIN_MS: '1500',
        // An order is traced only if its client requests a trace, because tracing all orders would cause
        // most of the load.
        OTEL_TRACES_SAMPLER: 'parentbased_always_off',
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
        OTEL_BSP_SCHEDULE_DELAY: '500',
      },
      // Six processes share two cores, so event loop lag does not indicate overload.
      gateway: { SHED_DELAY_MS: '0' },
    },
  });
});
afterEach(({ task }) => {
  if (task.result?.state !== 'fail') return;
  process.stderr.write(
    `\nOutput of the processes during "${task.name}":\n${replicated.system.logs()}\n`,
  );
});
afterAll(async () => {
  await replicated?.stop();
  await collector?.stop();
});

/** Replaces one process after another. A new process is ready before the old one is stopped. */
async function replaceAll(): Promise<void> {
  let leaving = Promise.resolve();
  for (const service of SERVICES) {
    for (const old of replicated.running(service)) {
      // The new process starts while the previously replaced one is still shutting down.
      await replicated.system.add(service);
      await leaving;
      leaving = replicated.retire(old).then(async (inTime) => {
        const exit = await old.exited;
        expect({ part: old.name, inTime, ...exit }).toMatchObject({ inTime: true, code: 0 });
      });
    }
    expect(replicated.running(service)).toHaveLength(REPLICAS);
  }
  await leaving;
}

it(
  'a rolling replacement of all processes under load loses no data and fails no request',
  async () => {
    const { system, url } = replicated;
    const { order: orderDb, stock: stockDb } = system.databases;
    const shop = createShopClient(graphAt(`${url}/graphql`));
    const after = await shop.stockCursor();
    for (const id of PRODUCTS) await shop.addStock({ id, quantity: INITIAL });
    const witnesses = await Promise.all(
      Array.from({ length: WITNESSES }, () =>
        startVerifyingSubscriber({ url, ids: PRODUCTS, after }),
      ),
    );
    const followed: ReturnType<typeof startOrderWatcher>[] = [];
    let ordered = 0;
    const traffic = startSteadyTraffic({
      url,
      productIds: PRODUCTS,
      onOrder: (orderId) => {
        ordered += 1;
        if (ordered % FOLLOWED_OF > 0 || followed.length === FOLLOWED) return;
        const name = `the client of order ${ordered}`;
        followed.push(startOrderWatcher({ name, url: () => url, orderId, lasting: true }));
      },
    });
    const before = system.parts().map(({ pid }) => pid);

    await replaceAll();

    await traffic.stop();
    const now = SERVICES.flatMap((service) => replicated.running(service).map(({ pid }) => pid));
    expect(now.filter((pid) => before.includes(pid))).toEqual([]);
    // No request has failed.
    expect(traffic.failures).toEqual([]);
    expect(traffic.answered()).toBeGreaterThan(50);

    const { orderId, trace } = await traceOneOrder({
      url,
      productId: 'kopi',
      stocks: replicated.running('stock'),
      spans: collector.spans,
    });

    // No decision is lost or duplicated.
    const ids = [...traffic.acknowledged, orderId];
    const settled = await eventually(
      () => orderDb('SELECT id, product_id, status::text FROM orders ORDER BY id'),
      (orders) => orders.every(({ status }) => status !== 'PENDING'),
      { until: 'all orders are decided', within: SETTLES_WITHIN_MS },
    );
    expect(settled.map(({ id }) => id)).toEqual(ids.toSorted());
    expect(
      await stockDb('SELECT order_id AS id, product_id, status::text FROM decisions ORDER BY 1'),
    ).toEqual(settled);
    const taken = await stockDb(
      `SELECT order_id AS id, stock_id AS product_id, 'CONFIRMED' AS status FROM movements
       WHERE kind = 'ORDERED' ORDER BY 1`,
    );
    expect(taken).toEqual(settled);
    const stocks = await stockDb('SELECT id, version, quantity FROM stocks');
    for (const { id, quantity } of stocks) {
      const ofOne = settled.filter(({ product_id }) => product_id === id);
      expect(quantity, id).toBe(INITIAL - ofOne.length);
    }

    // No live state is lost.
    const stored = new Map(stocks.map(({ id, version, quantity }) => [id, { version, quantity }]));
    await expect
      .poll(() => witnesses.flatMap((witness) => witness.faults(stored)), {
        message: 'each subscriber has received each state',
        timeout: SETTLES_WITHIN_MS,
      })
      .toHaveLength(0);
    await expect
      .poll(() => followed.map((one) => one.watched()).filter(({ completed }) => !completed), {
        message: "each order's subscriber has received its decision",
        timeout: SETTLES_WITHIN_MS,
      })
      .toHaveLength(0);
    for (const { name, seen, errors } of followed.map((one) => one.watched())) {
      expect({ name, last: seen.at(-1), errors }).toEqual({ name, last: 'CONFIRMED', errors: [] });
    }
    process.stdout.write(
      `${before.length} processes replaced: ${ids.length} orders and ${traffic.answered()} queries, 0 failed; ` +
        `${witnesses.length} subscribers over ${witnesses.reduce((sum, one) => sum + one.connections(), 0)} ` +
        `connections, ${stocks.reduce((sum, { version }) => sum + version, 0)} states each; ` +
        `one trace with ${trace.length} spans\n`,
    );
    await Promise.all([...witnesses, ...followed].map((one) => one.close()));
  },
  ALL_WITHIN_MS,
);
