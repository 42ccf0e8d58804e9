import { decodeOrderDecided, ORDER_DECIDED, type OrderDecided } from '@gudang/events';
import {
  applyBatch,
  type DeadLetter,
  type KafkaConnection,
  type KafkaRecord,
  type Readable,
  type Service,
  type Stoppable,
  startConsumer,
} from '@gudang/service';
import type { Database } from '../database.ts';
import { settleOrders } from './settle-orders.ts';

/** Brings stock's decisions back into the orders. */
export function startOrderDecidedConsumer(
  service: Pick<Service, 'log' | 'fail' | 'metrics'>,
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
  const outcomes = service.metrics.counter(
    'gudang_decisions_received_total',
    'Decisions by outcome',
    ['outcome'],
  );

  const settleBatch = async (
    batch: readonly Readable<OrderDecided>[],
    undecodable: readonly DeadLetter[],
  ): Promise<void> => {
    const counts = await settleOrders(database, batch, undecodable);
    outcomes.inc({ outcome: 'settled' }, counts.settled);
    outcomes.inc({ outcome: 'repeat' }, counts.repeats);
    outcomes.inc({ outcome: 'foreign' }, counts.foreign);
    outcomes.inc({ outcome: 'dead_letter' }, counts.contradictions + undecodable.length);
    stored();
  };

  const handle = async (records: readonly KafkaRecord[]): Promise<void> => {
    const readable: Readable<OrderDecided>[] = [];
    const undecodable: DeadLetter[] = [];
    for (const record of records) {
      const decoded = decodeOrderDecided(record.value);
      if (decoded.ok) readable.push({ message: decoded.message, record });
      else undecodable.push({ record, reason: decoded.reason });
    }
    if (undecodable.length > 0) await settleBatch([], undecodable);
    await applyBatch(
      readable,
      (batch) => settleBatch(batch, []),
      (letter) => settleBatch([], [letter]),
    );
  };

  return startConsumer(service, { kafka, topic: ORDER_DECIDED, group: 'order-subgraph', handle });
}
