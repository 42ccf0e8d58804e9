import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startKafka } from '@gudang/embedded';
import { startWatchdog } from '@gudang/embedded/testing';
import type { Stoppable } from '@gudang/runtime';
import { Partitioners } from 'kafkajs';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { startConsumer } from '../consumer.ts';
import type { KafkaConnection } from '../kafka-connection.ts';
import { loseTail } from '../testing/segment.ts';
import { connectTestKafka, createTestService, type TestService } from '../testing/test-service.ts';

/** A broker of its own, because the test kills it and shortens its files. */
let directory: string;
let watchdog: ReturnType<typeof startWatchdog>;
let port: number;
let broker: Awaited<ReturnType<typeof startKafka>>;
let service: TestService;
let kafka: KafkaConnection;

const startBroker = async () => {
  broker = await startKafka({ directory: join(directory, 'kafka'), port });
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gudang-truncation-'));
  watchdog = startWatchdog(directory);
  port = await freePort();
  await startBroker();
  service = createTestService({
    brokers: broker.brokers,
    prefix: `t${randomBytes(3).toString('hex')}.`,
  });
  kafka = await connectTestKafka(service, []);
}, 60_000);
afterAll(async () => {
  await kafka?.stop();
  await broker?.stop();
  await watchdog?.stop();
  await rm(directory, { recursive: true, force: true });
}, 60_000);

/** Kills the broker and deletes the last batch of partition 0, as after a power failure. */
async function loseLastBatch(topic: string): Promise<void> {
  process.kill(broker.pid, 'SIGKILL');
  await broker.exited;
  const log = join(
    directory,
    'kafka',
    'data',
    `${kafka.name(topic)}-0`,
    '00000000000000000000.log',
  );
  await loseTail(log, 1);
  await startBroker();
}

async function createTopic(): Promise<string> {
  const topic = `records-${randomUUID()}`;
  const admin = kafka.client.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: kafka.name(topic) }], waitForLeaders: true });
  await admin.disconnect();
  return topic;
}

async function send(topic: string, ...values: readonly string[]): Promise<void> {
  const producer = kafka.client.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  for (const value of values) {
    await producer.send({ topic: kafka.name(topic), messages: [{ value }] });
  }
  await producer.disconnect();
}

function consume(topic: string, seen: string[]): Stoppable {
  const handle = async (records: readonly { readonly value: Buffer | null }[]): Promise<void> => {
    seen.push(...records.map(({ value }) => String(value)));
  };
  return startConsumer(service, { kafka, topic, group: `group-${topic}`, handle });
}

it('a consumer reads the records that a broker stores at lost offsets, after its own restart', async () => {
  const topic = await createTopic();
  const seen: string[] = [];
  await send(topic, 'a', 'b', 'lost');
  const first = consume(topic, seen);
  await vi.waitFor(() => expect(seen).toEqual(['a', 'b', 'lost']), 20_000);
  await first.stop();
  await loseLastBatch(topic);
  // The new records reach beyond the committed offset, 3.
  await send(topic, 'c', 'd', 'e');
  const second = consume(topic, seen);
  await vi.waitFor(() => expect(seen).toEqual(['a', 'b', 'lost', 'c', 'd', 'e']), 30_000);
  await second.stop();
}, 120_000);

it('a running consumer reads the records that a broker stores at lost offsets, and no earlier ones', async () => {
  const topic = await createTopic();
  const seen: string[] = [];
  await send(topic, 'a', 'b', 'lost');
  const running = consume(topic, seen);
  await vi.waitFor(() => expect(seen).toEqual(['a', 'b', 'lost']), 20_000);
  await loseLastBatch(topic);
  // The consumer's position, 3, is now after the end of the partition.
  await vi.waitFor(() => {
    expect(service.lines.some((line) => line.includes('The broker lost records'))).toBe(true);
  }, 30_000);
  await send(topic, 'c', 'd');
  await vi.waitFor(() => expect(seen).toEqual(['a', 'b', 'lost', 'c', 'd']), 30_000);
  await running.stop();
}, 120_000);
