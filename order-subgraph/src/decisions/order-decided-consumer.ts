import {
  decodeOrderDecided,
  ORDER_DECIDED,
  ORDER_SUBJECT,
  type OrderDecided,
} from '@gudang/events';
import type { SubgraphConsumer } from '@gudang/subgraph';
import type { Database } from '../database.ts';
import { settleOrders } from './settle-orders.ts';

/** Consumes the stock service's decisions and applies them to the orders. */
export const orderDecidedConsumer: SubgraphConsumer<Database, OrderDecided> = {
  topic: ORDER_DECIDED,
  decode: decodeOrderDecided,
  subject: { ...ORDER_SUBJECT, idOf: ({ orderId }) => orderId },
  apply: settleOrders,
  counter: {
    name: 'gudang_decisions_received_total',
    help: 'Records read from order_decided, by outcome',
  },
};
