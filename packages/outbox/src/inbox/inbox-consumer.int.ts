import { randomUUID } from 'node:crypto';
import { testTopicPrefix } from '@gudang/embedded/testing';
import {
  decodeOrderCreated,
  encodeOrderCreated,
  ORDER_CREATED,
  ORDER_SUBJECT,
  type OrderCreated,
} from '@gudang/events';
import type { KafkaConnection } from '@gudang/kafka';
import { connectTestKafka, createTestService, type TestService } from '@gudang/kafka/testing';
import type { SqlClient } from '@gudang/postgres';
import type { Stoppable } from '@gudang/runtime';
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
  consumer = startInboxConsumer(service, {
    kafka,
    topic: ORDER_CREATED,
    group: service.name,
    decode: decodeOrderCreated,
    subject: { ...ORDER_SUBJECT, idOf: ({ id }) => id },
    apply,
  });
};
const noTransaction: SqlClient = {
  $queryRawUnsafe: async () => [] as never,
  $executeRawUnsafe: async () => 0,
};

it('startInboxConsumer logs a failed attempt with its order and its trace', async () => {
  const id = randomUUID();
  let calls = 0;
  start(async () => {
    calls += 1;
    if (calls === 1) throw new Error('the database is unavailable');
  });
  await send([orderOf(id)]);
  await expect.poll(() => calls === 2, { message: 'the batch is retried' }).toBe(true);
  const about = { topic: ORDER_CREATED, partition: 0, offset: '0', orderId: id, trace_id: TRACE };
  expect(lines().filter(({ level }) => level >= 40)).toEqual([
    expect.objectContaining({ ...about, msg: 'test-service could not handle records; retrying' }),
  ]);
});

it('startInboxConsumer logs a dead letter with its reason, and limits the log lines for many dead letters', async () => {
  const id = randomUUID();
  start(async (messages, deadLetters) => {
    const reason = 'it is known with another quantity';
    await deadLetters.write(
      noTransaction,
      messages.map(({ record }) => ({ record, reason })),
    );
  });
  const warnings = () => lines().filter(({ level }) => level >= 40);
  const msg = 'a record was dead-lettered';
  await send([orderOf(id)]);
  await expect
    .poll(() => warnings().length === 1, {
      message: 'the dead letter is logged',
    })
    .toBe(true);
  expect(warnings()[0]).toMatchObject({ msg, orderId: id, trace_id: TRACE, offset: '0' });
  expect(warnings()[0].reason).toContain('another quantity');
  await send(Array.from({ length: 12 }, () => 'no JSON'));
  await expect
    .poll(() => lines().some(({ count }) => count === 2), {
      message: 'the rest is counted',
    })
    .toBe(true);
  const [, first, ...others] = warnings();
  expect(first).toMatchObject({ msg, trace_id: TRACE, offset: '1', reason: expect.any(String) });
  expect(first).not.toHaveProperty('orderId');
  expect(others).toHaveLength(10);
});
