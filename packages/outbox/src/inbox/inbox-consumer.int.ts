import { randomUUID } from 'node:crypto';
import { testTopicPrefix } from '@gudang/embedded/testing';
import {
  decodeOrderCreated,
  encodeOrderCreated,
  ORDER_CREATED,
  type OrderCreated,
} from '@gudang/events';
import type { KafkaConnection } from '@gudang/kafka';
import { connectTestKafka, createTestService, type TestService } from '@gudang/kafka/testing';
import type { Stoppable } from '@gudang/runtime';
import { eventually } from '@gudang/runtime/testing';
import { Partitioners, type Producer } from 'kafkajs';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { startInboxConsumer } from './inbox-consumer.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const traceparent = `00-${TRACE}-b7ad6b7169203331-01`;

let service: TestService;
let kafka: KafkaConnection;
let producer: Producer;
let consumer: Stoppable | undefined;

beforeEach(async () => {
  service = createTestService({ brokers: inject('kafkaBrokers'), prefix: testTopicPrefix() });
  kafka = await connectTestKafka(service, [{ topic: ORDER_CREATED, partitions: 1 }]);
  producer = kafka.client.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
});
afterEach(async () => {
  await consumer?.stop();
  await producer.disconnect();
  await kafka.stop();
  expect(service.failures).toEqual([]);
});

const send = (values: readonly string[]) =>
  producer.send({
    topic: kafka.name(ORDER_CREATED),
    messages: values.map((value) => ({ value, headers: { traceparent } })),
  });
const orderOf = (id: string): string =>
  encodeOrderCreated({ id, productId: 'kopi', quantity: 1, createdAt: new Date() });
const lines = () => service.lines.map((line) => JSON.parse(line));
type Options = Parameters<typeof startInboxConsumer<OrderCreated>>[1];
const start = (apply: Options['apply']): void => {
  const options = { kafka, topic: ORDER_CREATED, decode: decodeOrderCreated };
  consumer = startInboxConsumer(service, { ...options, orderOf: ({ id }) => id, apply });
};

it('what could not be applied yet is a line with its order and its trace', async () => {
  const id = randomUUID();
  let calls = 0;
  start(async (_batch, letters) => {
    calls += 1;
    if (calls === 1) throw new Error('the database is away');
    return letters;
  });
  await send([orderOf(id)]);
  await eventually('it is tried again', () => calls === 2);
  const about = { topic: ORDER_CREATED, partition: 0, offset: '0', orderId: id, trace_id: TRACE };
  expect(lines().filter(({ level }) => level >= 40)).toEqual([
    expect.objectContaining({ ...about, msg: 'test-service will try again' }),
  ]);
});

it('a record that goes to the dead letters is a line with why, a crowd of them a few', async () => {
  const id = randomUUID();
  start(async (batch, letters) => [
    ...batch.map(({ record }) => ({ record, reason: 'it is known with another quantity' })),
    ...letters,
  ]);
  await send([orderOf(id), ...Array.from({ length: 11 }, () => 'no JSON')]);
  await eventually('all are told', () => lines().some(({ msg }) => /^2 more/.test(msg)));
  const [first, second, ...others] = lines().filter(({ level }) => level >= 40);
  const msg = 'a record went to the dead letters';
  expect(first).toMatchObject({ msg, orderId: id, trace_id: TRACE, offset: '0' });
  expect(first.reason).toContain('another quantity');
  expect(second).toMatchObject({ msg, trace_id: TRACE, offset: '1', reason: expect.any(String) });
  expect(second).not.toHaveProperty('orderId');
  expect(others).toHaveLength(9);
});
