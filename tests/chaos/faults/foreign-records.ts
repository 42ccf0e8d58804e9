import { randomUUID } from 'node:crypto';
import { ORDER_CREATED } from '@gudang/events';
import type { Fault } from '../fault.ts';

/** As the earlier order service writes them: four plain fields, no headers. */
export const foreignRecords: Fault = {
  name: 'foreign-records',
  title: 'records of another system: no headers, TimeStamp',
  short: true,
  run: async ({ rig, load, random, foreign, label, short }) => {
    const count = short ? 20 : 100;
    const messages = Array.from({ length: count }, (_, index) => {
      const id = randomUUID();
      const unknown = index % 10 === 0;
      const productId = unknown ? `${label}-nowhere` : random.pick(load.products).id;
      foreign.push({ id, productId });
      const order = { id, product_id: productId, quantity: random.between(1, 5) };
      const time = new Date().toISOString();
      const value = index % 2 === 0 ? { ...order, TimeStamp: time } : { ...order, timestamp: time };
      return { key: productId, value: JSON.stringify(value) };
    });
    await rig.producer.send({ topic: rig.name(ORDER_CREATED), messages });
    return messages.length;
  },
};
