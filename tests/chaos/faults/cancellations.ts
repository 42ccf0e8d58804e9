import { ORDER_CANCELLED } from '@gudang/events';
import { eventually } from '@gudang/testing/eventually';
import { API_KEYS } from '@gudang/testing/proxy/frames';
import type { Fault } from '../fault.ts';
import { lockStocks } from './held-lock.ts';
import { killAll, restartAll } from './killed-processes.ts';
import { counterOf, countOf } from './probes.ts';

const WITHIN_MS = 30_000;

/** Kills the order service after it has committed requests to cancel and before it sends them. */
export const cancelKilledBeforeSend: Fault = {
  name: 'cancel-killed-before-send',
  title: 'order service killed between a cancellation and its send',
  run: async ({ rig, short }) => {
    const proxy = rig.kafka.proxies.order;
    let fired = 0;
    for (let left = short ? 1 : 3; left > 0; left -= 1) {
      proxy.stall();
      fired += await eventually(
        () => countOf(rig, 'order', `outbox WHERE topic = '${ORDER_CANCELLED}'`),
        (count) => count > 0,
        { until: 'a request to cancel waits in the outbox', within: WITHIN_MS },
      );
      await killAll(rig.orders);
      await proxy.restore();
      await restartAll(rig.orders);
    }
    return fired;
  },
};

/** Kills the stock service while its batches of requests to cancel wait for the locks of the stocks. */
export const cancelKilledInTransaction: Fault = {
  name: 'cancel-killed-in-transaction',
  title: 'stock service killed after the fetch of cancellations',
  run: async ({ rig, load, short }) => {
    let fired = 0;
    for (let left = short ? 1 : 3; left > 0; left -= 1) {
      const parts = rig.stocks;
      await Promise.all(parts.map((part) => part.stop()));
      const before = load.cancelled.length;
      await eventually(
        () => load.cancelled.length,
        (length) => length > before + 5,
        { until: 'orders are cancelled', within: WITHIN_MS },
      );
      const locked = await lockStocks(
        rig.postgres.stock.url,
        load.products.map(({ id }) => id),
      );
      try {
        await restartAll(parts);
        // One batch of each group waits: of order_created and of order_cancelled.
        fired += await eventually(locked.waitingStatements, (waiting) => waiting > parts.length, {
          until: 'a batch of each consumer waits for row locks',
          within: WITHIN_MS,
        });
        await killAll(parts);
        await locked.endSessions();
      } finally {
        await locked.release();
      }
      await restartAll(parts);
    }
    return fired;
  },
};

/** Kills the stock service after it has committed cancellations and before it commits their offsets. */
export const cancelKilledBeforeCommit: Fault = {
  name: 'cancel-killed-before-commit',
  title: 'stock service killed between a cancellation and its offset',
  short: true,
  run: async ({ rig, short }) => {
    const proxy = rig.kafka.proxies.stock;
    const cancelledCount = (): Promise<number> =>
      countOf(rig, 'stock', "decisions WHERE status = 'CANCELLED'");
    let fired = 0;
    for (let left = short ? 1 : 3; left > 0; left -= 1) {
      const before = await cancelledCount();
      proxy.hold(API_KEYS.offsetCommit);
      await eventually(cancelledCount, (count) => count > before, {
        until: 'an order is cancelled',
        within: WITHIN_MS,
      });
      await killAll(rig.stocks);
      // The held request must not reach the broker, because it would commit the offsets.
      await proxy.cut();
      await proxy.restore();
      await restartAll(rig.stocks);
      fired += await eventually(
        () => counterOf(rig.stocks, 'gudang_cancellations_total', 'repeat'),
        (repeats) => repeats > 0,
        { until: 'cancellations are consumed again', within: WITHIN_MS },
      );
    }
    return fired;
  },
};

/** Kills the stock service after it has committed cancellations and before it announces them. */
export const cancelKilledBeforeAnswer: Fault = {
  name: 'cancel-killed-before-answer',
  title: 'stock service killed between a cancellation and its announcement',
  run: async ({ rig, short }) => {
    const proxy = rig.kafka.proxies.stock;
    let fired = 0;
    for (let left = short ? 1 : 3; left > 0; left -= 1) {
      proxy.hold(API_KEYS.produce);
      fired += await eventually(
        () =>
          countOf(rig, 'stock', `outbox WHERE convert_from(value, 'UTF8') LIKE '%"CANCELLED"%'`),
        (count) => count > 0,
        { until: 'the announcement of a cancellation waits in the outbox', within: WITHIN_MS },
      );
      await killAll(rig.stocks);
      await proxy.cut();
      await proxy.restore();
      await restartAll(rig.stocks);
    }
    return fired;
  },
};
