import { createTestDatabase, testTopicPrefix } from '@gudang/embedded/testing';
import { connectTestKafka, createTestService } from '@gudang/kafka/testing';
import { createSqlClient } from '@gudang/postgres/testing';
import type { ProducerBatch, ProducerConfig } from 'kafkajs';
import { expect, inject, it, onTestFinished } from 'vitest';
import { startRelay } from './relay.ts';
import { writeEvents } from './write-events.ts';

const CHANGES = 'stock_changed';
/**
 * Delay of each acknowledgement, in milliseconds. It is longer than the idle limit of a session.
 */
const ACKNOWLEDGED_AFTER_MS = 5_000;

it('the relay keeps the lock if an acknowledgement takes longer than the idle limit of the session', async () => {
  const database = await createTestDatabase(inject('postgresUrl'), 'stock');
  const sql = createSqlClient(database.url);
  const service = createTestService({
    brokers: inject('kafkaBrokers'),
    prefix: testTopicPrefix(),
  });
  const kafka = await connectTestKafka(service, [{ topic: CHANGES, partitions: 1 }]);
  const { client: real } = kafka;
  const client = Object.create(real, {
    producer: {
      value: (config: ProducerConfig) => {
        const producer = real.producer(config);
        const sendBatch = async (batch: ProducerBatch) => {
          const acknowledged = await producer.sendBatch(batch);
          await new Promise((done) => setTimeout(done, ACKNOWLEDGED_AFTER_MS));
          return acknowledged;
        };
        return { ...producer, sendBatch };
      },
    },
  });
  await writeEvents(sql, [{ topic: CHANGES, key: 'k', value: '{}', version: 1 }]);
  const slow = { ...kafka, client };
  const relay = startRelay(service, {
    kafka: slow,
    databaseUrl: database.url,
    changeTopic: CHANGES,
  });
  onTestFinished(async () => {
    await relay.stop();
    await Promise.all([kafka.stop(), sql.end()]);
    await database.drop();
  });
  await expect
    .poll(
      async () => {
        const [{ count }] = await sql.query('SELECT count(*) FROM outbox');
        return count === '0';
      },
      { message: 'the row is acknowledged and deleted' },
    )
    .toBe(true);
  const [{ term }] = await sql.query('SELECT term FROM relay');
  expect(term, 'a lost session would have begun another term').toBe('1');
});
