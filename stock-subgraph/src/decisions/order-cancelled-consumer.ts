import {
  decodeOrderCancelled,
  ORDER_CANCELLED,
  ORDER_SUBJECT,
  type OrderCancelled,
} from '@gudang/events';
import type { SubgraphConsumer } from '@gudang/subgraph';
import type { Database } from '../database.ts';
import { decideOrders } from './decide-orders.ts';

/**
 * Consumes requests to cancel orders. They may arrive before their orders, because the two topics have
 * separate consumer groups: kafkajs assigns the partitions of a group without regard to the topics that
 * each member subscribed to.
 */
export const orderCancelledConsumer: SubgraphConsumer<Database, OrderCancelled> = {
  topic: ORDER_CANCELLED,
  group: 'cancellations',
  decode: decodeOrderCancelled,
  subject: { ...ORDER_SUBJECT, idOf: ({ id }) => id },
  apply: async (database, batch, deadLetters) => {
    const counts = await decideOrders(database, batch, deadLetters);
    const { cancelled, refused, repeat, dead_letter } = counts;
    return { cancelled, refused, repeat, dead_letter };
  },
  counter: {
    name: 'gudang_cancellations_total',
    help: 'Records read from order_cancelled, by outcome',
  },
};
