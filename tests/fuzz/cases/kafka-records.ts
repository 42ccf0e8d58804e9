import { randomBytes } from 'node:crypto';
import { ORDER_CREATED, ORDER_DECIDED } from '@gudang/events';
import type { System } from '@gudang/testing/system/system';
import { Kafka, logLevel, type Producer } from 'kafkajs';
import type { FuzzCase } from '../case.ts';
import { anyJson, anyText, mutateText } from '../values.ts';

const producers = new WeakMap<System, Promise<Producer>>();

async function startProducer({ kafkaBrokers }: System): Promise<Producer> {
  const kafka = new Kafka({ brokers: kafkaBrokers.split(','), logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  return producer;
}

/** Disconnects the producer. Must be called after the last case. */
export async function stopProducing(system: System): Promise<void> {
  const producer = await producers.get(system);
  producers.delete(system);
  await producer?.disconnect();
}

/** Kafka records that violate the contract. Their effect is checked at the end of the run. */
export const kafkaRecords: FuzzCase = async (random, { system }) => {
  let producer = producers.get(system);
  if (!producer) {
    producer = startProducer(system);
    producers.set(system, producer);
  }
  const valid = JSON.stringify({
    id: 'ffffffff-ffff-4fff-8fff-ffffffffffff',
    product_id: 'fuzz',
    quantity: 1,
    timestamp: '2026-01-31T12:00:00.000Z',
  });
  const value = random.pick<() => string | Buffer | null>([
    () => mutateText(random, valid).toWellFormed(),
    () => JSON.stringify(anyJson(random)),
    () =>
      JSON.stringify({
        id: anyJson(random, 1),
        product_id: anyJson(random, 1),
        quantity: anyJson(random, 1),
        timestamp: anyJson(random, 1),
        order_id: anyJson(random, 1),
        status: anyJson(random, 1),
      }),
    () => randomBytes(random.between(0, 300)),
    () => null,
  ])();
  await (await producer).send({
    topic: `${system.topicPrefix}${random.pick([ORDER_CREATED, ORDER_DECIDED])}`,
    messages: [
      {
        key: random.chance(0.8) ? anyText(random).toWellFormed() : null,
        value,
        headers: { [random.pick(['traceparent', 'ce_id', 'x'])]: anyText(random).toWellFormed() },
      },
    ],
  });
  return undefined;
};
