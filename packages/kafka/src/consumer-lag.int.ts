import { randomUUID } from 'node:crypto';
import { testTopicPrefix } from '@gudang/embedded/testing';
import type { Stoppable } from '@gudang/runtime';
import { createMetrics, type Metrics } from '@gudang/runtime';
import { Partitioners, type Producer } from 'kafkajs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { startConsumer } from './consumer.ts';
import { measureLag } from './consumer-lag.ts';
import { createKafkaClient } from './kafka-client.ts';
import type { KafkaConnection } from './kafka-connection.ts';
import { connectTestKafka, createTestService } from './testing/test-service.ts';

/** Returns the values of a metric by partition. */
async function scrape(metrics: Metrics, name: string): Promise<Record<string, number>> {
  const { body } = await metrics.render();
  const samples = body.matchAll(new RegExp(`^${name}{.*partition="(\\d+)".*} (\\S+)$`, 'gm'));
  return Object.fromEntries([...samples].map(([, partition, value]) => [partition, Number(value)]));
}
const LAG = 'gudang_consumer_lag_records';
const OFFSET = 'gudang_consumer_offset';

describe('measureLag', () => {
  const service = createTestService({ brokers: inject('kafkaBrokers'), prefix: testTopicPrefix() });
  let kafka: KafkaConnection;
  let producer: Producer;
  let names: { kafka: KafkaConnection; topic: string; group: string };
  let metrics: Metrics;
  let running: Stoppable[];

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
    names = { kafka, topic: `records-${randomUUID()}`, group: `group-${randomUUID()}` };
    const admin = kafka.client.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: kafka.name(names.topic), numPartitions: 2 }] });
    await admin.disconnect();
    metrics = createMetrics('test');
    running = [measureLag({ metrics }, { kafka, groups: [names] })];
  });
  afterEach(async () => {
    await Promise.all(running.map((part) => part.stop()));
  });

  const send = (count: number, partition: number) =>
    producer.send({
      topic: kafka.name(names.topic),
      messages: Array.from({ length: count }, () => ({ value: 'x', partition })),
    });

  it('reports a growing lag of every partition while the handler is stuck, and 0 afterwards', async () => {
    await send(2, 0);
    let begun = false;
    let release = (): void => {};
    const stuck = new Promise<void>((resolve) => {
      release = resolve;
    });
    const handle = (): Promise<void> => {
      begun = true;
      return stuck;
    };
    running.unshift(startConsumer(service, { ...names, handle }));
    await expect.poll(() => begun, { message: 'the handler is stuck' }).toBe(true);
    expect(await scrape(metrics, LAG)).toEqual({ 0: 2, 1: 0 });
    await send(3, 0);
    await send(4, 1);
    expect(await scrape(metrics, LAG)).toEqual({ 0: 5, 1: 4 });
    expect(await scrape(metrics, OFFSET)).toEqual({ 0: 0, 1: 0 });
    release();
    await expect
      .poll(
        async () => {
          const lag = await scrape(metrics, LAG);
          return lag[0] === 0 && lag[1] === 0;
        },
        { message: 'every record is applied' },
      )
      .toBe(true);
    expect(await scrape(metrics, OFFSET)).toEqual({ 0: 5, 1: 4 });
  });

  it('reports a growing lag while the handler fails, for example because its database is unavailable', async () => {
    let calls = 0;
    const handle = async (): Promise<void> => {
      calls += 1;
      throw new Error('the database is unavailable');
    };
    running.unshift(startConsumer(service, { ...names, handle }));
    await send(2, 0);
    await expect.poll(() => calls > 1, { message: 'the handler is retried' }).toBe(true);
    await send(3, 0);
    expect(await scrape(metrics, LAG)).toEqual({ 0: 5, 1: 0 });
  });

  it('reports the lag of a group that no consumer has ever joined', async () => {
    await send(3, 1);
    expect(await scrape(metrics, LAG)).toEqual({ 0: 0, 1: 3 });
  });

  it('counts the lag from the first retained offset', async () => {
    await send(3, 1);
    const admin = kafka.client.admin();
    await admin.connect();
    const topic = kafka.name(names.topic);
    // Call fetchTopicOffsets first, because kafkajs deletes records only from a topic whose
    // metadata it has fetched.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 1, offset: '2' }] });
    await admin.disconnect();
    expect(await scrape(metrics, LAG)).toEqual({ 0: 0, 1: 1 });
    expect(await scrape(metrics, OFFSET)).toEqual({ 0: 0, 1: 2 });
  });
});

it('measureLag reports no value and does not delay the scrape while the broker is unavailable', async () => {
  const service = createTestService({ brokers: '127.0.0.1:1', prefix: testTopicPrefix() });
  const client = createKafkaClient('test', service.settings, service.log);
  const kafka = { client, name: (name: string) => name };
  const lag = measureLag(service, { kafka, groups: [{ topic: 'records', group: 'group' }] });
  const from = performance.now();
  expect(await scrape(service.metrics, LAG)).toEqual({});
  expect(performance.now() - from).toBeLessThan(4_000);
  await lag.stop();
});
