import { decodeOrderDecided, ORDER_DECIDED } from '@gudang/events';
import type { KafkaConnection } from '@gudang/kafka';
import { startInboxConsumer } from '@gudang/outbox';
import type { Service, Stoppable } from '@gudang/runtime';
import type { Database } from '../database.ts';
import { settleOrders } from './settle-orders.ts';

/** Brings stock's decisions back into the orders. */
export function startOrderDecidedConsumer(
  service: Pick<Service, 'name' | 'log' | 'health' | 'metrics'>,
  {
    kafka,
    database,
    stored,
  }: {
    kafka: KafkaConnection;
    database: Database;
    /** Called after each commit that wrote to the outbox. */
    stored: () => void;
  },
): Stoppable {
  const received = service.metrics.counter(
    'gudang_decisions_received_total',
    'Decisions read from order_decided, by what became of them',
    ['outcome'],
  );
  return startInboxConsumer(service, {
    kafka,
    topic: ORDER_DECIDED,
    decode: decodeOrderDecided,
    orderOf: ({ orderId }) => orderId,
    apply: async (batch, letters) => {
      const { letters: written, ...counts } = await settleOrders(database, batch, letters);
      stored();
      for (const [outcome, count] of Object.entries(counts)) received.inc({ outcome }, count);
      return written;
    },
  });
}
