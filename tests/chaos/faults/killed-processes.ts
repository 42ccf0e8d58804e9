import { randomUUID } from 'node:crypto';
import { ORDER_CREATED } from '@gudang/events';
import { eventually } from '@gudang/testing/eventually';
import { API_KEYS } from '@gudang/testing/proxy/frames';
import type { ServiceProcess } from '@gudang/testing/system/service-process';
import type { Fault } from '../fault.ts';
import type { Side } from '../rig/backing.ts';
import { lockOutbox, lockStocks } from './held-lock.ts';
import { counterOf, countOf } from './probes.ts';

const A_PRODUCT = 3;

/**
 * Kills all replicas after they have fetched records and before they decide the orders. The records
 * must be consumed again. The test sends orders of another system, because the reconciler republishes
 * this system's own orders, which would hide a lost record.
 */
export const stockKilledInTransaction: Fault = {
  name: 'stock-killed-in-transaction',
  title: 'stock service killed after the fetch, before the decisions',
  run: async ({ rig, load, foreign, short }) => {
    let fired = 0;
    for (let left = short ? 1 : 2; left > 0; left -= 1) {
      const parts = rig.stocks;
      // The replicas stop before the records are sent, so their first batches after the restart
      // contain these records.
      await Promise.all(parts.map((part) => part.stop()));
      const messages = load.products.flatMap(({ id: productId }) =>
        Array.from({ length: A_PRODUCT }, () => {
          const id = randomUUID();
          foreign.push({ id, productId });
          const order = { id, product_id: productId, quantity: 1 };
          return {
            key: productId,
            value: JSON.stringify({ ...order, timestamp: new Date().toISOString() }),
          };
        }),
      );
      await rig.producer.send({ topic: rig.name(ORDER_CREATED), messages });
      const locked = await lockStocks(
        rig.postgres.stock.url,
        load.products.map(({ id }) => id),
      );
      try {
        await restartAll(parts);
        fired += await eventually(locked.waitingStatements, (waiting) => waiting >= parts.length, {
          until: 'a batch of each replica waits for row locks',
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

/** Sends SIGKILL to all processes at once. Resolves once all have exited. */
export async function killAll(parts: readonly ServiceProcess[]): Promise<void> {
  for (const part of parts) part.kill('SIGKILL');
  await Promise.all(parts.map((part) => part.exited));
}

export async function restartAll(parts: readonly ServiceProcess[]): Promise<void> {
  await Promise.all(parts.map((part) => part.restart()));
  await Promise.all(parts.map((part) => part.ready()));
}

/**
 * Kills all replicas after they have committed decisions and before they commit the records' offsets.
 * The records must be consumed again.
 */
export const stockKilledBeforeCommit: Fault = {
  name: 'stock-killed-before-commit',
  title: 'stock service killed between database and offset commit',
  short: true,
  run: async ({ rig, load, short }) => {
    const proxy = rig.kafka.proxies.stock;
    let fired = 0;
    for (let left = short ? 1 : 3; left > 0; left -= 1) {
      const before = proxy.counts.held;
      proxy.hold(API_KEYS.offsetCommit);
      await eventually(
        () => proxy.counts.held,
        (held) => held > before,
        { until: 'an offset commit is held' },
      );
      await load.more(10);
      await killAll(rig.stocks);
      // The held request must not reach the broker, because it would commit the offsets.
      await proxy.cut();
      await proxy.restore();
      await restartAll(rig.stocks);
      await eventually(
        () => counterOf(rig.stocks, 'gudang_decisions_total', 'repeat'),
        (repeats) => repeats > 0,
        { until: 'decided orders are consumed again', within: 30_000 },
      );
      fired += 1;
    }
    return fired;
  },
};

/**
 * Kills all replicas while one of them writes an event. The state change in the same transaction must be
 * rolled back.
 */
function killedWhileWriting(side: Side): Fault {
  return {
    name: `${side}-killed-while-writing`,
    title: `${side} service killed while it writes an event`,
    short: side === 'stock',
    run: async ({ rig, load, short }) => {
      let fired = 0;
      for (let left = short ? 1 : 3; left > 0; left -= 1) {
        const locked = await lockOutbox(rig.postgres[side].url, side);
        try {
          fired += await eventually(locked.waitingStatements, (waiting) => waiting > 0, {
            until: `${side} writes an event`,
          });
          await killAll(rig.replicas(side));
          await locked.endSessions();
        } finally {
          await locked.release();
        }
        await restartAll(rig.replicas(side));
        await load.more(10);
      }
      return fired;
    },
  };
}

export const orderKilledWhileWriting = killedWhileWriting('order');
export const stockKilledWhileWriting = killedWhileWriting('stock');

/**
 * Kills all replicas after they have committed orders and before the orders' events are sent. The events
 * are still in the outbox, because the broker does not respond.
 */
export const orderKilledBeforeSend: Fault = {
  name: 'order-killed-before-send',
  title: 'order service killed between commit and send',
  short: true,
  run: async ({ rig, load, short }) => {
    const proxy = rig.kafka.proxies.order;
    let fired = 0;
    for (let left = short ? 1 : 3; left > 0; left -= 1) {
      proxy.stall();
      await load.more(20);
      await killAll(rig.orders);
      fired += (await countOf(rig, 'order', "outbox WHERE topic = 'order_created'")) > 0 ? 1 : 0;
      await proxy.restore();
      await restartAll(rig.orders);
    }
    return fired;
  },
};

/**
 * Kills all replicas after the broker has stored events and before the relay deletes the events from the
 * outbox.
 */
export const orderKilledBeforeDelete: Fault = {
  name: 'order-killed-before-delete',
  title: 'order service killed between send and delete',
  short: true,
  run: async ({ rig, short }) => {
    const proxy = rig.kafka.proxies.order;
    let fired = 0;
    for (let left = short ? 1 : 3; left > 0; left -= 1) {
      const before = proxy.counts.dropped;
      proxy.dropAnswers(API_KEYS.produce, 'silence');
      await eventually(
        () => proxy.counts.dropped,
        (dropped) => dropped > before,
        { until: 'the broker has acknowledged events' },
      );
      await killAll(rig.orders);
      fired += (await countOf(rig, 'order', 'outbox')) > 0 ? 1 : 0;
      await proxy.restore();
      await restartAll(rig.orders);
    }
    return fired;
  },
};
