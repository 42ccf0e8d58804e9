import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { encodeOrderCreated, ORDER_CREATED } from '@gudang/events';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import type { System } from '../system/system.ts';
import { dataOf } from './graph-client.ts';

const BATCHES_PER_SECOND = 10;

/**
 * Produces orders directly to Kafka, as another system would. Only this way makes thousands of
 * changes per second. Resolves once all orders are decided.
 */
export async function floodOrders(
  { kafkaBrokers, topicPrefix, databases }: System,
  {
    ids,
    count,
    ordersPerSecond,
  }: { ids: readonly string[]; count: number; ordersPerSecond: number },
): Promise<void> {
  const decided = async (): Promise<number> => {
    const [row] = await databases.stock('SELECT count(*) AS n FROM decisions');
    return Number(row?.['n']);
  };
  const before = await decided();
  const kafka = new Kafka({ brokers: [kafkaBrokers], logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  try {
    const each = Math.ceil(ordersPerSecond / BATCHES_PER_SECOND);
    const from = performance.now();
    for (let sent = 0; sent < count; sent += each) {
      await pause(Math.max(0, from + (sent * 1_000) / ordersPerSecond - performance.now()));
      const messages = Array.from({ length: Math.min(each, count - sent) }, (_, index) => {
        const productId = ids[(sent + index) % ids.length] ?? '';
        const order = { id: randomUUID(), productId, quantity: 1, createdAt: new Date() };
        return { key: productId, value: encodeOrderCreated(order) };
      });
      await producer.send({ topic: `${topicPrefix}${ORDER_CREATED}`, messages });
    }
  } finally {
    await producer.disconnect();
  }
  while ((await decided()) - before < count) await pause(100);
}

export interface PacedOrders {
  readonly acknowledged: number;
  readonly refused: number;
}

/** Sends `ordersPerSecond` orders per second through the gateway until `until` is aborted. */
export async function paceOrders(
  { graph }: Pick<System, 'graph'>,
  {
    ids,
    ordersPerSecond,
    until,
  }: { ids: readonly string[]; ordersPerSecond: number; until: AbortSignal },
): Promise<PacedOrders> {
  const mutation = 'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id } }';
  const running = new Set<Promise<void>>();
  let acknowledged = 0;
  let refused = 0;
  const order = async (number: number): Promise<void> => {
    const input = { productId: ids[number % ids.length], quantity: 1 };
    await dataOf(graph(mutation, { input })).then(
      () => {
        acknowledged += 1;
      },
      () => {
        refused += 1;
      },
    );
  };
  const from = performance.now();
  for (let number = 0; !until.aborted; number += 1) {
    await pause(Math.max(0, from + (number * 1_000) / ordersPerSecond - performance.now()));
    const one = order(number).finally(() => running.delete(one));
    running.add(one);
  }
  await Promise.all(running);
  return { acknowledged, refused };
}
