import {
  decodeOrderCreated,
  ORDER_CREATED,
  ORDER_SUBJECT,
  type OrderCreated,
} from '@gudang/events';
import type { SubgraphConsumer } from '@gudang/subgraph';
import type { Database } from '../database.ts';
import { decideOrders } from './decide-orders.ts';

/** Consumes new orders and decides them in the sequence of their arrival. */
export const orderCreatedConsumer: SubgraphConsumer<Database, OrderCreated> = {
  topic: ORDER_CREATED,
  decode: decodeOrderCreated,
  subject: { ...ORDER_SUBJECT, idOf: ({ id }) => id },
  apply: async (database, batch, deadLetters) => {
    const counts = await decideOrders(database, batch, deadLetters);
    const { confirmed, rejected, repeat, dead_letter } = counts;
    return { confirmed, rejected, repeat, dead_letter };
  },
  counter: {
    name: 'gudang_decisions_total',
    help: 'Records read from order_created, by outcome',
  },
};
