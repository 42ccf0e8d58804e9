import { randomUUID } from 'node:crypto';
import { testTopicPrefix } from '@gudang/embedded/testing';
import type { Stoppable } from '@gudang/runtime';
import { Partitioners, type Producer } from 'kafkajs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { startConsumer } from './consumer.ts';
import type { KafkaConnection } from './kafka-connection.ts';
import type { KafkaRecord } from './record.ts';
import { connectTestKafka, createTestService } from './testing/test-service.ts';

describe('startConsumer', () => {
  const service = createTestService({ brokers: inject('kafkaBrokers'), prefix: testTopicPrefix() });
  let kafka: KafkaConnection;
  let producer: Producer;
  let topic: string;
  let group: string;
  let running: Stoppable[] = [];

  const start = (handle: (records: readonly KafkaRecord[]) => Promise<void>): Stoppable => {
    const consumer = startConsumer(service, { kafka, topic, group, handle });
    running.push(consumer);
    return consumer;
  };
  const send = (values: readonly string[], partition = 0) =>
    producer.send({
      topic: kafka.name(topic),
      messages: values.map((value) => ({ key: null, value, partition })),
    });
  const committed = async (partition = 0): Promise<number> => {
    const admin = kafka.client.admin();
    await admin.connect();
    const [of] = await admin.fetchOffsets({
      groupId: kafka.name(group),
      topics: [kafka.name(topic)],
    });
    await admin.disconnect();
    return Number(of?.partitions.find((one) => one.partition === partition)?.offset ?? -1);
  };
  const texts = (records: readonly KafkaRecord[]): string[] =>
    records.map(({ value }) => String(value));

  beforeAll(async () => {
    kafka = await connectTestKafka(service, []);
    producer = kafka.client.producer({ createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
  });
  afterAll(async () => {
    await producer.disconnect();
    await kafka.stop();
    expect(service.failures).toEqual([]);
  });
  beforeEach(async () => {
    topic = `records-${randomUUID()}`;
    group = `group-${randomUUID()}`;
    const admin = kafka.client.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: kafka.name(topic), numPartitions: 2 }] });
    await admin.disconnect();
  });
  afterEach(async () => {
    await Promise.all(running.map((consumer) => consumer.stop()));
    running = [];
  });

  it('reads from the beginning and commits after its handler has resolved', async () => {
    await send(['a', 'b']);
    const seen: string[] = [];
    let resolve = (): void => {};
    const held = new Promise<void>((open) => {
      resolve = open;
    });
    start(async (records) => {
      seen.push(...texts(records));
      await held;
    });
    await expect
      .poll(() => seen.length === 2, {
        message: 'it has read both records',
      })
      .toBe(true);
    expect(await committed()).toBe(-1);
    resolve();
    await expect
      .poll(async () => (await committed()) === 2, {
        message: 'the offset is committed',
      })
      .toBe(true);
  });

  it('retries a rejected batch before it reads later records', async () => {
    await send(['a', 'b']);
    const calls: string[] = [];
    start(async (records) => {
      calls.push(texts(records).join());
      if (calls.length === 1) await send(['c']);
      if (calls.length < 4) throw new Error('the database is unavailable');
    });
    await expect
      .poll(() => calls.length === 5, {
        message: 'every record is read',
      })
      .toBe(true);
    expect(calls).toEqual(['a,b', 'a,b', 'a,b', 'a,b', 'c']);
    await expect
      .poll(async () => (await committed()) === 3, {
        message: 'the offset is committed',
      })
      .toBe(true);
  });

  it('passes at most 1,000 records to each call of its handler', async () => {
    await send(Array.from({ length: 2_500 }, (_, index) => String(index)));
    const sizes: number[] = [];
    const seen: string[] = [];
    start(async (records) => {
      sizes.push(records.length);
      seen.push(...texts(records));
    });
    await expect
      .poll(() => seen.length === 2_500, {
        message: 'every record is read',
      })
      .toBe(true);
    expect(Math.max(...sizes)).toBe(1_000);
    expect(seen).toEqual(Array.from({ length: 2_500 }, (_, index) => String(index)));
  });

  it('handles and commits every record when a rebalance interrupts a batch', async () => {
    await send(['a0', 'b0'], 0);
    await send(['a1', 'b1'], 1);
    const handled: string[] = [];
    let holding = true;
    let begun = false;
    start(async (records) => {
      begun = true;
      const deadline = Date.now() + 20_000;
      while (holding && Date.now() < deadline) await new Promise((next) => setTimeout(next, 20));
      handled.push(...texts(records));
    });
    await expect
      .poll(() => begun, {
        message: 'the first consumer handles a batch',
      })
      .toBe(true);
    const joined: string[] = [];
    start(async (records) => void joined.push(...texts(records)));
    // The rebalance waits until the first consumer has finished its batch.
    const admin = kafka.client.admin();
    await admin.connect();
    await expect
      .poll(
        async () => {
          const { groups } = await admin.describeGroups([kafka.name(group)]);
          return groups[0]?.state === 'PreparingRebalance';
        },
        { message: 'the group rebalances' },
      )
      .toBe(true);
    await admin.disconnect();
    holding = false;
    await send(['c0'], 0);
    await send(['c1'], 1);
    const all = ['a0', 'a1', 'b0', 'b1', 'c0', 'c1'];
    await expect
      .poll(
        () => {
          const seen = new Set([...handled, ...joined]);
          return all.every((text) => seen.has(text));
        },
        { message: 'every record is handled' },
      )
      .toBe(true);
    await expect
      .poll(async () => [await committed(0), await committed(1)].every((offset) => offset === 3), {
        message: 'every offset is committed',
      })
      .toBe(true);
  });

  it('commits the batch in flight when it stops', async () => {
    await send(['a']);
    let begun = false;
    const consumer = start(async () => {
      begun = true;
      await new Promise((done) => setTimeout(done, 300));
    });
    await expect.poll(() => begun, { message: 'the handler is called' }).toBe(true);
    await consumer.stop();
    expect(await committed()).toBe(1);
  });

  it('stays in its group while a handler runs longer than the session time-out, and stops within a deadline', async () => {
    await send(['slow']);
    const calls: string[] = [];
    const handle = async (records: readonly KafkaRecord[]) => {
      calls.push(...texts(records));
      if (calls.length === 1) await new Promise((done) => setTimeout(done, 6_500));
    };
    const slow = startConsumer(service, { kafka, topic, group, handle });
    running.push(slow);
    const other = { topic: `other-${topic}`, group: `other-${group}` };
    const stopping = stopsByItsDeadline(other);
    await expect
      .poll(async () => (await committed()) === 1, {
        message: 'the offset is committed',
        timeout: 20_000,
      })
      .toBe(true);
    await send(['next']);
    await expect
      .poll(() => calls.includes('next'), {
        message: 'it reads the next record',
      })
      .toBe(true);
    expect(calls).toEqual(['slow', 'next']);
    await stopping;
  });

  /**
   * Checks that `stop` resolves within its deadline while a handler never resolves. The test above
   * runs this check in parallel, because each of the two takes seconds.
   */
  async function stopsByItsDeadline(names: { topic: string; group: string }): Promise<void> {
    const admin = kafka.client.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: kafka.name(names.topic), numPartitions: 1 }] });
    await producer.send({ topic: kafka.name(names.topic), messages: [{ value: 'a' }] });
    let begun = false;
    const handle = (): Promise<void> => {
      begun = true;
      return new Promise(() => {});
    };
    const consumer = startConsumer(service, { kafka, ...names, handle });
    await expect.poll(() => begun, { message: 'the handler is called' }).toBe(true);
    const from = Date.now();
    await consumer.stop();
    expect(Date.now() - from).toBeLessThan(6_500);
    const offsets = await admin.fetchOffsets({ groupId: kafka.name(names.group) });
    expect(offsets).toEqual([]);
    await admin.disconnect();
  }
});
