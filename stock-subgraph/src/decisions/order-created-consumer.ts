import { decodeOrderCreated, ORDER_CREATED } from '@gudang/events';
import type { KafkaConnection } from '@gudang/kafka';
import { startInboxConsumer } from '@gudang/outbox';
import type { Service, Stoppable } from '@gudang/runtime';
import type { Database } from '../database.ts';
import { decideOrders } from './decide-orders.ts';

/** Decides the orders, as they come. */
export function startOrderCreatedConsumer(
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
  const decided = service.metrics.counter(
    'gudang_decisions_total',
    'Records read from order_created, by what became of them',
    ['outcome'],
  );
  return startInboxConsumer(service, {
    kafka,
    topic: ORDER_CREATED,
    decode: decodeOrderCreated,
    orderOf: ({ id }) => id,
    apply: async (batch, letters) => {
      const { letters: written, ...counts } = await decideOrders(database, batch, letters);
      stored();
      for (const [outcome, count] of Object.entries(counts)) decided.inc({ outcome }, count);
      return written;
    },
  });
}
