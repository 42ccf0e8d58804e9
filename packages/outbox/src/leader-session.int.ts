import { createTestDatabase, testTopicPrefix } from '@gudang/embedded/testing';
import { connectTestKafka, createTestService, recordsOf } from '@gudang/kafka/testing';
import { createSqlClient } from '@gudang/postgres/testing';
import { createMetrics } from '@gudang/runtime';
import { startSilentProxy } from '@gudang/runtime/testing';
import { expect, inject, it, onTestFinished } from 'vitest';
import { type Relay, startRelay } from './relay.ts';
import { writeEvents } from './write-events.ts';

const CHANGES = 'stock_changed';

it("a standby replaces a leader within 5 s after the leader's connection falls silent, and the old leader becomes a standby", async () => {
  const database = await createTestDatabase(inject('postgresUrl'), 'stock');
  const sql = createSqlClient(database.url);
  const service = createTestService({
    brokers: inject('kafkaBrokers'),
    prefix: testTopicPrefix(),
  });
  const kafka = await connectTestKafka(service, [{ topic: CHANGES, partitions: 1 }]);
  const direct = new URL(database.url);
  const proxy = await startSilentProxy({ host: direct.hostname, port: Number(direct.port) });
  const behind = new URL(database.url);
  behind.host = `127.0.0.1:${proxy.port}`;
  const relays: Relay[] = [];
  onTestFinished(async () => {
    await Promise.all(relays.map((relay) => relay.stop()));
    await Promise.all([proxy.close(), kafka.stop(), sql.end()]);
    await database.drop();
  });
  const start = (databaseUrl: string): Relay => {
    const own = { ...service, metrics: createMetrics('test-service') };
    const relay = startRelay(own, { kafka, databaseUrl, changeTopic: CHANGES });
    relays.push(relay);
    return relay;
  };
  let count = 0;
  const write = async (): Promise<void> => {
    const events = Array.from({ length: 3 }, () => {
      count += 1;
      return { topic: CHANGES, key: 'k', value: JSON.stringify({ number: count }), version: count };
    });
    await writeEvents(sql, events);
  };
  const emptied = (limit = 15_000) =>
    expect
      .poll(async () => (await sql.query('SELECT count(*) FROM outbox'))[0].count === '0', {
        message: 'the outbox is empty',
        timeout: limit,
      })
      .toBe(true);

  const silent = start(behind.href);
  await expect.poll(() => silent.isLeading(), { message: 'the relay leads' }).toBe(true);
  const other = start(database.url);
  await write();
  await emptied();
  proxy.silence();
  const from = Date.now();
  await write();
  await emptied(8_000);
  expect(Date.now() - from).toBeLessThan(5_500);
  expect(other.isLeading()).toBe(true);
  await expect
    .poll(() => !silent.isLeading(), {
      message: 'the relay notices the loss',
      timeout: 8_000,
    })
    .toBe(true);

  await other.stop();
  await expect
    .poll(() => silent.isLeading(), {
      message: 'the relay leads again',
    })
    .toBe(true);
  await write();
  await emptied();
  const numbers = (await recordsOf(kafka, CHANGES)).map(
    ({ value }) => JSON.parse(String(value)).number,
  );
  expect(numbers).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
});
