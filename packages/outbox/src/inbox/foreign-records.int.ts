import { randomUUID } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { createTestDatabase, type TestDatabase, testTopicPrefix } from '@gudang/embedded/testing';
import {
  decodeOrderCreated,
  encodeOrderCreated,
  ORDER_CREATED,
  ORDER_SUBJECT,
} from '@gudang/events';
import { type KafkaConnection, measureLag } from '@gudang/kafka';
import {
  connectTestKafka,
  createTestService,
  ForeignCommands,
  type ForeignProducer,
  startForeignProducer,
  type TestService,
} from '@gudang/kafka/testing';
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

let database: TestDatabase;
let sql: ReturnType<typeof createSqlClient>;
let service: TestService;
let kafka: KafkaConnection;
let producer: Producer;
let lag: Stoppable;
let consumer: Stoppable | undefined;
let applied: string[];
let foreign: ForeignProducer;

beforeAll(async () => {
  database = await createTestDatabase(inject('postgresUrl'), 'stock');
  sql = createSqlClient(database.url);
  foreign = await startForeignProducer(inject('kafkaBrokers'));
});
afterAll(async () => {
  await foreign.stop();
  await sql.end();
  await database.drop();
});
beforeEach(async () => {
  await sql.query('TRUNCATE outbox');
  applied = [];
  service = createTestService({ brokers: inject('kafkaBrokers'), prefix: testTopicPrefix() });
  kafka = await connectTestKafka(service, [{ topic: ORDER_CREATED, partitions: 1 }]);
  lag = measureLag(service, { kafka, groups: [{ group: service.name, topic: ORDER_CREATED }] });
  producer = kafka.client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
});
afterEach(async () => {
  await consumer?.stop();
  await lag.stop();
  await producer.disconnect();
  await kafka.stop();
  expect(service.failures).toEqual([]);
});

const order = (id: string): string =>
  encodeOrderCreated({ id, productId: 'kopi', quantity: 1, createdAt: new Date() });
const send = (value: string) =>
  producer.send({ topic: kafka.name(ORDER_CREATED), messages: [{ value }] });
/** Waits until the consumer's committed offset is the end of the partition. */
const lagIsZero = () =>
  vi.waitFor(async () => {
    const { body } = await service.metrics.render();
    expect(body).toMatch(/^gudang_consumer_lag_records{.*} 0$/m);
  }, 10_000);
function start(options: { decode?: typeof decodeOrderCreated } = {}): void {
  consumer = startInboxConsumer(service, {
    kafka,
    topic: ORDER_CREATED,
    group: service.name,
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
    const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
    const ids = codecs.map(() => Array.from({ length: 50 }, () => randomUUID()));
    const topic = kafka.name(ORDER_CREATED);
    const java = new ForeignCommands();
    for (const [index, codec] of codecs.entries()) {
      java.open(codec, codec);
      for (const id of ids[index] ?? []) java.send(codec, { topic, value: order(id) });
      java.control(codec, 'flush');
    }
    const headers = [
      ['no-value', null],
      ['twice', 'first'],
      ['twice', 'second'],
      ['constructor', 'theirs'],
      ['__proto__', 'theirs'],
      ['gudang_handled', '0'],
    ] as const;
    start();
    await foreign.run(java.send('none', { topic, value: 'no JSON', headers }));
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
    // This header would mark the first dead letter of the topic as handled.
    expect(letter?.headers).not.toHaveProperty('gudang_handled');
    await lagIsZero();
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

  it('are dead-lettered as a whole batch if the batch exceeds the size limit', async () => {
    const ids = [randomUUID(), randomUUID()];
    const topic = kafka.name(ORDER_CREATED);
    start();
    await send(order(ids[0] ?? ''));
    const bomb = { topic, value: 33 * 1024 * 1024 };
    await foreign.run(new ForeignCommands().open('bomb', 'zstd').send('bomb', bomb));
    await send(order(ids[1] ?? ''));
    await vi.waitFor(() => expect(applied).toEqual(ids), 10_000);
    await lagIsZero();
    expect(await sql.query('SELECT headers, length(value) AS size FROM outbox')).toEqual([
      {
        headers: expect.objectContaining({
          gudang_origin_offset: '1',
          gudang_origin_last_offset: '1',
          gudang_reason: expect.stringMatching(/cannot be decoded: .* 33554432 bytes/),
        }),
        size: expect.any(Number),
      },
    ]);
    expect((await service.health.report()).ready).toBe(true);
  }, 60_000);

  it('are dead-lettered as a whole batch if the broker has damaged the batch', async () => {
    const ids = [randomUUID(), randomUUID()];
    const topic = kafka.name(ORDER_CREATED);
    await send(order(ids[0] ?? ''));
    await producer.send({ topic, messages: ['a', 'b', 'c'].map((value) => ({ value })) });
    await send(order(ids[1] ?? ''));
    // The broker sends the bytes of this file without reading them.
    const log = join(inject('kafkaData'), `${topic}-0`, '00000000000000000000.log');
    const file = await open(log, 'r+');
    const bytes = await file.readFile();
    const second = 12 + bytes.readInt32BE(8);
    const third = second + 12 + bytes.readInt32BE(second + 8);
    await file.write(Buffer.from([bytes.readUInt8(third - 2) ^ 1]), 0, 1, third - 2);
    const damaged = Buffer.alloc(third - second);
    await file.read(damaged, 0, damaged.length, second);
    await file.close();
    start();
    await vi.waitFor(() => expect(applied).toEqual(ids), 10_000);
    await lagIsZero();
    expect(await sql.query('SELECT headers, value FROM outbox')).toEqual([
      {
        headers: expect.objectContaining({
          gudang_origin_offset: '1',
          gudang_origin_last_offset: '3',
          gudang_reason: 'the record batch cannot be decoded: The checksum is wrong',
        }),
        value: damaged,
      },
    ]);
  });

  it('are not applied if their transaction was aborted, also if transactions overlap', async () => {
    const topic = kafka.name(ORDER_CREATED);
    const ids = Array.from({ length: 8 }, () => randomUUID());
    const [one, two] = [`${topic}-one`, `${topic}-two`];
    const java = new ForeignCommands().open(one, 'lz4', true).open(two, 'none', true);
    const sendAs = (name: string, index: number) =>
      java
        .send(name, { topic, value: order(ids[index] ?? ''), key: Buffer.alloc(4) })
        .control(name, 'flush');
    java.control(one, 'begin').control(two, 'begin');
    for (const [index, name] of [one, two, one, two].entries()) sendAs(name, index);
    java.control(two, 'abort');
    sendAs(one, 4);
    java.control(one, 'abort').control(one, 'begin').control(two, 'begin');
    sendAs(one, 5);
    sendAs(two, 6);
    java.control(one, 'commit');
    sendAs(two, 7);
    java.control(two, 'abort');
    await foreign.run(java);
    start();
    // The records of aborted transactions and the control record at the end do not count as lag.
    await lagIsZero();
    await vi.waitFor(() => expect(applied).toEqual([ids[5]]), 10_000);
    expect(await deadLetters()).toEqual([]);
  }, 60_000);
});
