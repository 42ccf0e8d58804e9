import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createTestDatabase, type TestDatabase, testTopicPrefix } from '@gudang/embedded/testing';
import type { KafkaConnection } from '@gudang/kafka';
import { headerText } from '@gudang/kafka';
import {
  connectTestKafka,
  createTestService,
  recordsOf,
  type TestService,
} from '@gudang/kafka/testing';
import { HEADER } from '@gudang/messages';
import { createSqlClient } from '@gudang/postgres/testing';
import type { Stoppable } from '@gudang/runtime';
import { createMetrics } from '@gudang/runtime';
import type { ProducerBatch, ProducerConfig, ProducerRecord } from 'kafkajs';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { startRelay } from './relay.ts';
import { writeEvents } from './write-events.ts';

const CHANGES = 'stock_changed';
const OTHER = 'order_decided';

describe('startRelay', () => {
  let own: TestService;
  let kafka: KafkaConnection;
  let database: TestDatabase;
  let sql: ReturnType<typeof createSqlClient>;
  let running: Stoppable[] = [];

  const start = () => {
    const service = { ...own, metrics: createMetrics('test-service') };
    const relay = startRelay(service, { kafka, databaseUrl: database.url, changeTopic: CHANGES });
    running.push(relay);
    return relay;
  };
  const write = (count: number, { topic = CHANGES, from = 1, size = 0 } = {}) =>
    writeEvents(
      sql,
      Array.from({ length: count }, (_, index) => ({
        topic,
        key: `k${(from + index) % 3}`,
        value: JSON.stringify({ number: from + index, padding: 'x'.repeat(size) }),
        version: from + index,
      })),
    );
  const waiting = async () => Number((await sql.query('SELECT count(*) FROM outbox'))[0].count);
  const sentOffset = async () => {
    const newest = 'SELECT sent_offset FROM relay_progress ORDER BY term DESC, step DESC LIMIT 1';
    return (await sql.query(newest))[0].sent_offset;
  };
  const emptied = (limit = 15_000) =>
    expect
      .poll(async () => (await waiting()) === 0, {
        message: 'the outbox is empty',
        timeout: limit,
      })
      .toBe(true);
  const numbersOfTerm = async (term: string | undefined, topic = CHANGES) =>
    (await recordsOf(kafka, topic))
      .filter(({ value }) => value !== null)
      .filter(({ headers }) => term === undefined || headerText(headers, HEADER.term) === term)
      .map(({ value }) => JSON.parse(String(value)).number);
  const numbers = (topic = CHANGES) => numbersOfTerm(undefined, topic);

  beforeEach(async () => {
    database = await createTestDatabase(inject('postgresUrl'), 'stock');
    sql = createSqlClient(database.url);
    own = createTestService({ brokers: inject('kafkaBrokers'), prefix: testTopicPrefix() });
    kafka = await connectTestKafka(own, [
      {
        topic: CHANGES,
        partitions: 1,
        totalOrder: true,
        config: { 'max.message.bytes': '900000' },
      },
      { topic: OTHER, partitions: 1 },
    ]);
  });
  afterEach(async () => {
    await Promise.all(running.map((part) => part.stop()));
    running = [];
    await kafka.stop();
    await sql.end();
    await database.drop();
  });

  it('sends rows in order with their headers and deletes them once they are acknowledged', async () => {
    await write(1200);
    start();
    await emptied();
    expect(await numbers()).toEqual(Array.from({ length: 1200 }, (_, index) => index + 1));
    const [first] = await recordsOf(kafka, CHANGES);
    const header = (name: string) => headerText(first?.headers ?? {}, name);
    expect(header(HEADER.specVersion)).toBe('1.0');
    expect(header(HEADER.type)).toBe('gudang.stock.changed');
    expect(header(HEADER.version)).toBe('1');
    expect(header(HEADER.term)).toBe('1');
    const [{ epoch }] = await sql.query('SELECT epoch FROM relay');
    expect(header(HEADER.epoch)).toBe(epoch);
    expect(await sentOffset()).toBe('1199');
  });

  it('elects one leader, and a new leader has a higher term', async () => {
    const relays = [start(), start()];
    await expect
      .poll(() => relays.some((relay) => relay.isLeading()), {
        message: 'a relay leads',
      })
      .toBe(true);
    await write(10);
    await emptied();
    expect(relays.filter((relay) => relay.isLeading())).toHaveLength(1);
    const leader = relays.find((relay) => relay.isLeading());
    const other = relays.find((relay) => relay !== leader);
    await leader?.stop();
    await expect
      .poll(() => other?.isLeading() === true, {
        message: 'the standby leads',
        timeout: 5_000,
      })
      .toBe(true);
    await write(10, { from: 11 });
    await emptied();
    const records = await recordsOf(kafka, CHANGES);
    expect(records.map(({ headers }) => headerText(headers, HEADER.term))).toEqual([
      ...Array(10).fill('1'),
      ...Array(10).fill('2'),
    ]);
    expect(await numbers()).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  });

  it('sends rows within milliseconds after a wake-up in the leading process or in another process', async () => {
    const [leader, other] = [start(), start()];
    await expect
      .poll(() => leader.isLeading() || other.isLeading(), {
        message: 'a relay leads',
      })
      .toBe(true);
    await write(1);
    await emptied();
    const times: number[] = [];
    for (let round = 0; round < 20; round += 1) {
      const from = performance.now();
      await write(1, { from: round + 2 });
      (round % 2 === 0 ? leader : other).wake();
      await emptied();
      times.push(performance.now() - from);
    }
    // With polling alone, the median would be about 500 ms.
    expect(times.toSorted((a, b) => a - b)[10]).toBeLessThan(150);
  });

  it('finds a row by polling when its wake-up was lost', async () => {
    const relay = start();
    await expect.poll(() => relay.isLeading(), { message: 'the relay leads' }).toBe(true);
    await write(1);
    await emptied(2_500);
  });

  it('sends the rows of several batches in order', async () => {
    await write(40, { size: 100_000 });
    start();
    await emptied();
    expect(await numbers()).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
  });

  it('moves a refused row to outbox_rejected with the reason, and sends later rows', async () => {
    await write(3);
    await write(1, { from: 4, size: 950_000 });
    await write(3, { from: 5 });
    start();
    await emptied();
    expect(await numbers()).toEqual([1, 2, 3, 5, 6, 7]);
    const refused = await sql.query('SELECT version, reason FROM outbox_rejected');
    expect(refused).toEqual([{ version: 4, reason: expect.stringContaining('larger than') }]);
  });

  it('moves a row that no broker would answer to outbox_rejected without reading it', async () => {
    await sql.query(
      `INSERT INTO outbox (topic, key, value, version)
       VALUES ($1, 'k1', convert_to(repeat('x', 70000000), 'UTF8'), 1)`,
      [CHANGES],
    );
    await write(3, { from: 2 });
    start();
    await emptied();
    expect(await numbers()).toEqual([2, 3, 4]);
    expect(
      await sql.query('SELECT octet_length(value) AS bytes, reason FROM outbox_rejected'),
    ).toEqual([{ bytes: 70_000_000, reason: expect.stringContaining('70000002 bytes') }]);
  });

  it('continues after the offset of a leader of the previous release', async () => {
    const first = start();
    await write(5);
    await emptied();
    await first.stop();
    const [{ epoch, sent_offset }] = await sql.query('SELECT epoch, sent_offset FROM relay');
    expect(sent_offset, 'the previous release reads the offset here').toBe('4');
    // The previous release began another term and sent these events.
    await sql.query('UPDATE relay SET term = term + 1');
    const producer = kafka.client.producer();
    await producer.connect();
    await producer.send({
      topic: kafka.name(CHANGES),
      messages: [{ value: '{}', headers: { [HEADER.outboxId]: '6' } }],
    });
    await producer.disconnect();
    await sql.query('UPDATE relay SET sent_offset = 5');
    start();
    await write(1, { from: 7 });
    await emptied();
    expect((await sql.query('SELECT epoch FROM relay'))[0].epoch).toBe(epoch);
  });

  it('announces a new epoch although the leader that began it failed', async () => {
    const real = kafka.client;
    let failures = 0;
    const client = Object.create(real, {
      producer: {
        value: (config: ProducerConfig) => {
          const producer = real.producer(config);
          const send = async (record: ProducerRecord) => {
            failures += 1;
            if (failures === 1) throw new Error('the broker is unavailable');
            return producer.send(record);
          };
          return { ...producer, send };
        },
      },
    });
    kafka = { ...kafka, client };
    await sql.query('UPDATE relay SET sent_offset = 5');
    start();
    await expect
      .poll(
        async () => {
          const [{ epoch }] = await sql.query('SELECT epoch FROM relay');
          const announcement = (await recordsOf(kafka, CHANGES)).at(-1);
          return headerText(announcement?.headers ?? {}, HEADER.epoch) === epoch;
        },
        { message: 'the epoch is announced' },
      )
      .toBe(true);
    expect(failures).toBe(2);
    expect((await recordsOf(kafka, CHANGES)).length).toBe(1);
  });

  it('begins a new epoch when the topic is new, and sends the batch again', async () => {
    await sql.query('UPDATE relay SET sent_offset = 5');
    const [{ epoch: old }] = await sql.query('SELECT epoch FROM relay');
    const relay = start();
    await expect
      .poll(
        async () => {
          const [{ epoch }] = await sql.query('SELECT epoch FROM relay');
          return epoch !== old;
        },
        { message: 'a new epoch begins' },
      )
      .toBe(true);
    // Then the topic is deleted and created again while the relay runs. The next batch ends after
    // the old topic's last offset.
    await write(3);
    await emptied();
    const [{ epoch: second }] = await sql.query('SELECT epoch FROM relay');
    const admin = kafka.client.admin();
    await admin.connect();
    await admin.deleteTopics({ topics: [kafka.name(CHANGES)] });
    await expect
      .poll(async () => !(await admin.listTopics()).includes(kafka.name(CHANGES)), {
        message: 'the topic is deleted',
      })
      .toBe(true);
    await admin.disconnect();
    await write(20, { from: 4 });
    relay.wake();
    await emptied();
    const [{ epoch: third }] = await sql.query('SELECT epoch FROM relay');
    expect(third).not.toBe(second);
    const records = await recordsOf(kafka, CHANGES);
    expect(records.at(-1)?.offset).toBe(await sentOffset());
    const ofThird = records.filter(({ headers }) => headerText(headers, HEADER.epoch) === third);
    expect(ofThird.filter(({ value }) => value !== null)).toHaveLength(20);
  });

  it.each([
    ['', 'SELECT'],
    [
      ', even if other events have the same ids now',
      `INSERT INTO outbox (id, topic, key, value, version) OVERRIDING SYSTEM VALUE
       SELECT id, '${CHANGES}', 'k1', '{}', id FROM generate_series(3, 5) AS again (id)`,
    ],
  ])('begins and announces a new epoch when the database was restored%s', async (_when, again) => {
    const first = start();
    await write(5);
    await emptied();
    await first.stop();
    const [{ epoch }] = await sql.query('SELECT epoch FROM relay');
    await sql.query('UPDATE relay SET sent_offset = 1, term = 0');
    await sql.query(again);
    start();
    const restored = async () => (await sql.query('SELECT epoch FROM relay'))[0].epoch;
    await expect
      .poll(async () => (await restored()) !== epoch, {
        message: 'a new epoch begins',
      })
      .toBe(true);
    await expect
      .poll(
        async () => {
          const records = await recordsOf(kafka, CHANGES);
          const announcement = records.findLast(({ value }) => value === null);
          return headerText(announcement?.headers ?? {}, HEADER.epoch) === (await restored());
        },
        { message: 'the epoch is announced' },
      )
      .toBe(true);
  });

  it('keeps the epoch if the earlier relay was killed between sending and deleting', async () => {
    await write(5);
    await sql.query('CREATE TABLE saved AS SELECT * FROM outbox ORDER BY id');
    const first = start();
    await emptied();
    await first.stop();
    const [{ epoch }] = await sql.query('SELECT epoch FROM relay');
    // This is the state after such a kill: the last two events were sent and are still in the
    // outbox.
    await sql.query('UPDATE relay_progress SET sent_offset = 2');
    await sql.query('INSERT INTO outbox OVERRIDING SYSTEM VALUE SELECT * FROM saved WHERE id > 3');
    start();
    await emptied();
    expect((await sql.query('SELECT epoch FROM relay'))[0].epoch).toBe(epoch);
    expect(await numbers()).toEqual([1, 2, 3, 4, 5, 4, 5]);
  });

  it('replaces a relay within 5 s after its process freezes, and the frozen relay deletes no rows later', async () => {
    const file = fileURLToPath(new URL('./testing/relay-process.ts', import.meta.url));
    const prefix = kafka.name('');
    const child = spawn(
      process.execPath,
      [
        '--conditions=source',
        '--import=tsx',
        file,
        inject('kafkaBrokers'),
        prefix,
        database.url,
        CHANGES,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    try {
      await once(child.stdout, 'data');
      const relay = start();
      await write(3);
      await emptied();
      child.kill('SIGSTOP');
      const frozenAt = Date.now();
      await write(3, { from: 4 });
      await emptied(8_000);
      expect(Date.now() - frozenAt).toBeLessThan(5_500);
      expect(relay.isLeading()).toBe(true);
      child.kill('SIGCONT');
      await write(3, { from: 7 });
      await emptied();
      // The resumed relay may send rows that it read before it was frozen. Consumers drop these
      // records because of their old term.
      expect(await numbersOfTerm('2')).toEqual([4, 5, 6, 7, 8, 9]);
      expect((await numbersOfTerm('1')).slice(0, 3)).toEqual([1, 2, 3]);
      expect(relay.isLeading()).toBe(true);
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('keeps rows until the broker acknowledges them, and sends unacknowledged rows again', async () => {
    let lose = (_error: Error): void => {};
    const lost = new Promise<never>((_resolve, reject) => {
      lose = reject;
    });
    lost.catch(() => {});
    const real = kafka.client;
    const client = Object.create(real, {
      producer: {
        value: (config: ProducerConfig) => {
          const producer = real.producer(config);
          const sendBatch = async (batch: ProducerBatch) => {
            const acknowledged = await producer.sendBatch(batch);
            await lost;
            return acknowledged;
          };
          return { ...producer, sendBatch };
        },
      },
    });
    kafka = { ...kafka, client };
    await write(3);
    start();
    await expect
      .poll(async () => (await numbers()).length === 3, {
        message: 'the rows are sent',
      })
      .toBe(true);
    expect(await waiting()).toBe(3);
    lose(new Error('the connection broke before the acknowledgement'));
    await expect
      .poll(async () => (await numbers()).length >= 6, {
        message: 'the rows are sent again',
      })
      .toBe(true);
    expect(await waiting()).toBe(3);
  });
});
