import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort, startKafka } from '@gudang/embedded';
import { kafkaFrames, type Splitter } from '@gudang/testing/proxy/frames';
import { startTcpProxy } from '@gudang/testing/proxy/tcp-proxy';
import { startSystem } from '@gudang/testing/system/system';
import { expect, inject, onTestFinished, test } from 'vitest';
import { type StatementCounter, startStatementCounter } from './statement-counter.ts';

const SECONDS = 5;
/**
 * Maximum number of SQL statements per second and service. The relay polls once per second. The
 * reconciler and the change watch poll every few seconds.
 */
const STATEMENTS_A_SECOND = 1.8;
/**
 * Maximum number of Kafka requests per second of the system. Each of the five consumers, of which the stock
 * subgraph has three, sends one fetch per second and one heartbeat every two seconds.
 */
const KAFKA_REQUESTS_A_SECOND = 10;
/**
 * Maximum number of wake-ups of the main thread per second. Only the gateway has a 10 ms timer, which
 * measures its event loop lag and alone causes 100 wake-ups per second. When idle, the gateway sends no
 * requests.
 */
const WAKE_UPS_A_SECOND = { order: 60, stock: 60, gateway: 120 };

/** Starts Kafka behind a proxy that counts the requests. */
async function startCountedKafka() {
  const directory = await mkdtemp(join(tmpdir(), 'gudang-idle-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const [port, advertisedPort] = [await freePort(), await freePort()];
  const kafka = await startKafka({ directory, proxied: [{ port, advertisedPort }] });
  onTestFinished(() => kafka.stop());
  let frames = 0;
  const split = (): Splitter => {
    const whole = kafkaFrames();
    return (chunk) => {
      const found = whole(chunk);
      frames += found.length;
      return found;
    };
  };
  const proxy = await startTcpProxy({ port, listen: advertisedPort, split });
  onTestFinished(() => proxy.stop());
  /** The proxy counts requests and responses together, so half of its count is the number of requests. */
  return { brokers: `127.0.0.1:${advertisedPort}`, requests: () => frames / 2 };
}

/** Returns how many times a process's main thread has gone to sleep; 0 on a system without /proc. */
async function sleeps(pid: number): Promise<number> {
  if (!existsSync('/proc/self/status')) return 0;
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1]);
}

test('an idle system causes few SQL statements, Kafka requests and timer wake-ups', async () => {
  const kafka = await startCountedKafka();
  const counters = new Map<string, StatementCounter>();
  const system = await startSystem({
    postgresUrl: inject('postgresUrl'),
    kafkaBrokers: kafka.brokers,
    through: async ({ from, to }, address) => {
      if (to !== 'postgres') return address;
      const counter = await startStatementCounter(address);
      counters.set(from, counter);
      return counter.url;
    },
  });
  onTestFinished(async () => {
    await system.stop();
    await Promise.all([...counters.values()].map((counter) => counter.stop()));
  });
  const parts = (['order', 'stock', 'gateway'] as const).map(
    (service) => [service, system[service]] as const,
  );
  const read = () => Promise.all(parts.map(([, { pid }]) => sleeps(pid)));

  for (const counter of counters.values()) counter.take();
  const [requestsBefore, sleepsBefore] = [kafka.requests(), await read()];
  await pause(SECONDS * 1_000);
  const [requests, sleepsAfter] = [kafka.requests() - requestsBefore, await read()];

  for (const [service, counter] of counters) {
    const statements = counter.take();
    expect.soft(statements.length, `${service}: ${statements.join('; ')}`).toBeGreaterThan(0);
    expect
      .soft(statements.length, `${service}: ${statements.join('; ')}`)
      .toBeLessThanOrEqual(SECONDS * STATEMENTS_A_SECOND);
  }
  expect.soft(requests).toBeGreaterThan(0);
  expect.soft(requests).toBeLessThanOrEqual(SECONDS * KAFKA_REQUESTS_A_SECOND);
  for (const [index, [service]] of parts.entries()) {
    const times = (sleepsAfter[index] ?? 0) - (sleepsBefore[index] ?? 0);
    expect
      .soft(times / SECONDS, `wake-ups per second of ${service}`)
      .toBeLessThanOrEqual(WAKE_UPS_A_SECOND[service]);
  }
});
