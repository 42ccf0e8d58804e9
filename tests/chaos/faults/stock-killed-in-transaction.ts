import { randomUUID } from 'node:crypto';
import { ORDER_CREATED } from '@gudang/events';
import { eventually } from '@gudang/testing/eventually';
import type { Fault } from '../fault.ts';
import { lockStocks } from './hold-lock.ts';
import { killAll, restartAll } from './kill-all.ts';

const A_PRODUCT = 3;

/**
 * Records are read and nothing is decided yet when every replica dies: they must be read again. Orders of another
 * system, because nobody publishes those a second time.
 */
export const stockKilledInTransaction: Fault = {
  name: 'stock-killed-in-transaction',
  title: 'stock service killed −9 with records read and not decided',
  run: async ({ rig, load, foreign, short }) => {
    let fired = 0;
    for (let left = short ? 1 : 2; left > 0; left -= 1) {
      const parts = rig.stocks;
      // So that they are in the first batches that the next replicas read.
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
        fired += await eventually(locked.whoWaits, (waiting) => waiting >= parts.length, {
          until: 'each replica has a batch that waits for row locks',
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
