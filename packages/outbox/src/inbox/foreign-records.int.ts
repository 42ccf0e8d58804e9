import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import {
  createTestDatabase,
  runWithKafkaClasses,
  type TestDatabase,
  testTopicPrefix,
} from '@gudang/embedded/testing';
import {
  decodeOrderCreated,
  encodeOrderCreated,
  ORDER_CREATED,
  ORDER_SUBJECT,
} from '@gudang/events';
import type { KafkaConnection } from '@gudang/kafka';
import { connectTestKafka, createTestService, type TestService } from '@gudang/kafka/testing';
import { createSqlClient } from '@gudang/postgres/testing';
import type { Stoppable } from '@gudang/runtime';
import kafkajs, { type Producer } from 'kafkajs';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  inject,
  it,
  vi,
} from 'vitest';
import { startInboxConsumer } from './inbox-consumer.ts';

const PRODUCER = fileURLToPath(new URL('../testing/ForeignProducer.java', import.meta.url));

let database: TestDatabase;
let sql: ReturnType<typeof createSqlClient>;
let service: TestService;
let kafka: KafkaConnection;
let producer: Producer;
let consumer: Stoppable | undefined;
let applied: string[];

beforeAll(async () => {
  database = await createTestDatabase(inject('postgresUrl'), 'stock');
  sql = createSqlClient(database.url);
});
afterAll(async () => {
  await sql.end();
  await database.drop();
});
beforeEach(async () => {
  await sql.query('TRUNCATE outbox');
  applied = [];
  service = createTestService({ brokers: inject('kafkaBrokers'), prefix: testTopicPrefix() });
  kafka = await connectTestKafka(service, [{ topic: ORDER_CREATED, partitions: 1 }]);
  producer = kafka.client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
});
afterEach(async () => {
  await consumer?.stop();
  await producer.disconnect();
  await kafka.stop();
  expect(service.failures).toEqual([]);
});

const order = (id: string): string =>
  encodeOrderCreated({ id, productId: 'kopi', quantity: 1, createdAt: new Date() });
const send = (value: string) =>
  producer.send({ topic: kafka.name(ORDER_CREATED), messages: [{ value }] });
const sendFromJava = (...batches: readonly string[]) =>
  runWithKafkaClasses(PRODUCER, [inject('kafkaBrokers'), kafka.name(ORDER_CREATED), ...batches]);
function start(options: { decode?: typeof decodeOrderCreated } = {}): void {
  consumer = startInboxConsumer(service, {
    kafka,
    topic: ORDER_CREATED,
    decode: options.decode ?? decodeOrderCreated,
    subject: { ...ORDER_SUBJECT, idOf: ({ id }) => id },
    apply: async (messages, deadLetters) => {
      applied.push(...messages.map(({ message }) => message.id));
      await deadLetters.write(sql);
    },
  });
}
const deadLetters = () =>
  sql.query(`SELECT headers, convert_from(value, 'UTF8') AS value FROM outbox ORDER BY id`);

describe('records of other producers', () => {
  it('are applied for each codec, or dead-lettered with their headers if they are not JSON', async () => {
    const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
    const ids = codecs.map(() => Array.from({ length: 50 }, () => randomUUID()));
    const batches = codecs.flatMap((codec, index) => [
      `compression:${codec}`,
      ...(ids[index] ?? []).map(order),
    ]);
    start();
    await sendFromJava(...batches, 'no JSON');
    await vi.waitFor(() => expect(applied).toEqual(ids.flat()), 10_000);
    const [letter] = await vi.waitUntil(async () => {
      const letters = await deadLetters();
      return letters.length > 0 && letters;
    });
    expect(letter?.value).toBe('no JSON');
    expect(Object.entries(letter?.headers)).toEqual(
      expect.arrayContaining([
        ['no-value', null],
        ['twice', 'first'],
        ['constructor', 'theirs'],
        ['__proto__', 'theirs'],
      ]),
    );
  }, 60_000);

  it('are applied when the broker compresses the topic', async () => {
    const admin = kafka.client.admin();
    await admin.connect();
    await admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: kafkajs.ConfigResourceTypes.TOPIC,
          name: kafka.name(ORDER_CREATED),
          configEntries: [{ name: 'compression.type', value: 'lz4' }],
        },
      ],
    });
    await admin.disconnect();
    const id = randomUUID();
    start();
    await send(order(id));
    await vi.waitFor(() => expect(applied).toEqual([id]), 10_000);
  });

  it('are dead-lettered when decoding throws', async () => {
    const ids = [randomUUID(), randomUUID()];
    start({
      decode: (value) => {
        const decoded = decodeOrderCreated(value);
        if (decoded.ok && decoded.message.id === ids[0]) throw new TypeError('a defect');
        return decoded;
      },
    });
    for (const id of ids) await send(order(id));
    await vi.waitFor(() => expect(applied).toEqual([ids[1]]), 10_000);
    await vi.waitFor(async () => {
      expect(await deadLetters()).toEqual([
        {
          headers: expect.objectContaining({
            gudang_reason: 'decoding failed: TypeError: a defect',
          }),
          value: expect.stringContaining(ids[0] ?? ''),
        },
      ]);
    });
  });

  it('stop the consumer, but not the process, when a batch exceeds the size limit', async () => {
    const ids = [randomUUID(), randomUUID()];
    start();
    await send(order(ids[0] ?? ''));
    await sendFromJava('compression:zstd', `zeros:${33 * 1024 * 1024}`);
    const consumerState = async () => (await service.health.report()).parts['consumer'];
    await vi.waitFor(async () => {
      expect(await consumerState()).toEqual({
        state: 'down',
        reason: expect.stringMatching(
          /^The consumer of order_created is stopped: .*33554432 bytes/,
        ),
      });
    }, 15_000);
    expect((await service.health.report()).ready).toBe(false);
    expect(applied).toEqual([ids[0]]);
    await send(order(ids[1] ?? ''));
    const admin = kafka.client.admin();
    await admin.connect();
    const topic = kafka.name(ORDER_CREATED);
    // Call fetchTopicOffsets first, because deleteTopicRecords needs the topic's leader, which
    // kafkajs learns by this call.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '2' }] });
    await admin.disconnect();
    await vi.waitFor(() => expect(applied).toEqual(ids), 15_000);
    await vi.waitFor(async () => {
      expect(await consumerState()).toEqual({ state: 'ok' });
    }, 20_000);
  }, 60_000);
});
