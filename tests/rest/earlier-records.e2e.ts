import { randomUUID } from 'node:crypto';
import { ORDER_CREATED } from '@gudang/events';
import { createShopClient } from '@gudang/testing/clients/shop-client';
import { eventually } from '@gudang/testing/eventually';
import { useSystem } from '@gudang/testing/system/use-system';
import { Kafka, type KafkaMessage, logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';

const system = useSystem();
let kafka: Kafka;
let topic: string;
beforeAll(() => {
  const { kafkaBrokers, topicPrefix } = system();
  kafka = new Kafka({ brokers: [kafkaBrokers], logLevel: logLevel.NOTHING });
  topic = `${topicPrefix}${ORDER_CREATED}`;
});

let close = async (): Promise<void> => {};
afterAll(() => close());

test('the stock service accepts the records of the legacy order service, which have TimeStamp and no headers', async () => {
  const shop = createShopClient(system().graph);
  const { id } = await shop.addStock({ quantity: 100 });
  const producer = kafka.producer();
  await producer.connect();
  const record = { id: randomUUID(), product_id: id, quantity: 10 };
  const value = JSON.stringify({ ...record, TimeStamp: '2024-05-01T10:00:00.123456789+07:00' });
  await producer.send({ topic, messages: [{ key: id, value }] });
  await producer.disconnect();
  await eventually(
    () => shop.stock(id),
    (stock) => stock?.quantity === 90,
  );
});

test('the order service writes JSON with exactly the four fields that the legacy stock service expects', async () => {
  const shop = createShopClient(system().graph);
  const { id: productId } = await shop.addStock({ quantity: 5 });
  const order = await shop.createOrder({ productId, quantity: 3 });
  const records: KafkaMessage[] = [];
  const consumer = kafka.consumer({ groupId: `${topic}-earlier-stock-service` });
  close = () => consumer.disconnect();
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({ eachMessage: async ({ message }) => void records.push(message) });

  const ours = () => records.find(({ key }) => String(key) === productId);
  const record = await eventually(ours, (found) => found !== undefined);
  expect(JSON.parse(String(record?.value))).toEqual({
    id: order.id,
    product_id: productId,
    quantity: 3,
    timestamp: order.createdAt,
  });
});
