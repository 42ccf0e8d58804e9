import { randomUUID } from 'node:crypto';
import { ORDER_CREATED } from '@gudang/events';
import { startForeignProducer } from '@gudang/kafka/testing';
import { createShopClient } from '@gudang/testing/clients/shop-client';
import { eventually } from '@gudang/testing/eventually';
import { generateForeignRecords } from '@gudang/testing/foreign-records';
import { createRandom } from '@gudang/testing/random';
import { useSystem } from '@gudang/testing/system/use-system';
import { Kafka, logLevel } from 'kafkajs';
import { expect, inject, test } from 'vitest';

/** `SEED=7 npx vitest …` generates other records. */
const SEED = Number(process.env['SEED'] ?? 1);
const BATCHES = Number(process.env['BATCHES'] ?? 60);
const STOCK = 1_000_000;

const system = useSystem({ environment: { all: { KAFKA_PARTITIONS: '2' } } });

test(`every generated record is applied, a repeat or a dead letter, exactly once (seed ${SEED})`, async () => {
  const { graph, databases, kafkaBrokers, topicPrefix } = system();
  const shop = createShopClient(graph);
  const products = await Promise.all([1, 2, 3].map(() => shop.addStock({ quantity: STOCK })));
  const topic = `${topicPrefix}${ORDER_CREATED}`;
  const { commands, expected } = generateForeignRecords(createRandom(SEED), {
    topic,
    partitions: 2,
    productIds: products.map(({ id }) => id),
    batches: BATCHES,
    label: topicPrefix,
    createId: randomUUID,
  });
  const producer = await startForeignProducer(inject('kafkaBrokers'));
  await producer.run(commands);
  await producer.stop();

  const admin = new Kafka({ brokers: [kafkaBrokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await eventually(
    async () => {
      const groupId = `${topicPrefix}stock-subgraph`;
      const [ends, [committed]] = await Promise.all([
        admin.fetchTopicOffsets(topic),
        admin.fetchOffsets({ groupId, topics: [topic] }),
      ]);
      return ends.map(({ partition, high }) => {
        const at = committed?.partitions.find((one) => one.partition === partition);
        return Number(high) - Number(at?.offset ?? 0);
      });
    },
    (lags) => lags.every((lag) => lag === 0),
    { until: 'the end of each partition is committed', within: 30_000 },
  );

  const applied = expected.filter(({ outcome }) => outcome === 'applied');
  const decisions = await databases.stock('SELECT order_id, product_id, quantity FROM decisions');
  expect(
    decisions.map((row) => [row['order_id'], row['product_id'], row['quantity']]).sort(),
  ).toEqual(applied.map(({ id, productId, quantity }) => [id, productId, quantity]).sort());
  const stocks = await databases.stock('SELECT id, quantity FROM stocks');
  for (const { id } of products) {
    const taken = applied.filter(({ productId }) => productId === id);
    const sum = taken.reduce((total, { quantity = 0 }) => total + quantity, 0);
    expect(stocks.find((stock) => stock['id'] === id)?.['quantity']).toBe(STOCK - sum);
  }

  const letters = expected.filter(({ outcome }) => outcome === 'dead letter').length;
  const [end] = await eventually(
    () => admin.fetchTopicOffsets(`${topic}.dlt`),
    ([found]) => Number(found?.high) >= letters,
    { until: 'all dead letters are sent' },
  );
  await eventually(
    () => databases.stock('SELECT id FROM outbox'),
    (rows) => rows.length === 0,
    { until: 'the outbox is empty' },
  );
  await admin.disconnect();
  expect(Number(end?.high)).toBe(letters);
  expect(await databases.stock('SELECT topic FROM outbox_rejected')).toEqual([]);
});
