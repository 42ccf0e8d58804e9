import { randomUUID } from 'node:crypto';
import { testTopicPrefix } from '@gudang/embedded/testing';
import { HEADER } from '@gudang/events';
import { Partitioners } from 'kafkajs';
import { expect, inject, it, onTestFinished } from 'vitest';
import type { SqlClient } from '../outbox/write-events.ts';
import { eventually } from '../testing/eventually.ts';
import { connectTestKafka, createTestService } from '../testing/test-service.ts';
import { startFeed } from './feed.ts';

const TOPIC = 'stock_changed';

it('tells that it missed changes when the topic was made again and is as long as before', async () => {
  const service = createTestService({ brokers: inject('kafkaBrokers'), prefix: testTopicPrefix() });
  const kafka = await connectTestKafka(service, [{ topic: TOPIC, partitions: 1 }]);
  const name = kafka.name(TOPIC);
  const producer = kafka.client.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  const admin = kafka.client.admin();
  await Promise.all([producer.connect(), admin.connect()]);
  let epoch = randomUUID();
  const database = { $queryRawUnsafe: async () => [{ epoch }] } as unknown as SqlClient;
  const feed = startFeed(service, { kafka, topic: TOPIC, database });
  onTestFinished(async () => {
    await feed.stop();
    await Promise.all([producer.disconnect(), admin.disconnect()]);
    await kafka.stop();
  });
  const send = async (...keys: string[]): Promise<void> => {
    const messages = keys.map((key, index) => ({
      key,
      value: key,
      headers: {
        [HEADER.version]: String(index + 1),
        [HEADER.term]: '1',
        [HEADER.epoch]: epoch,
        [HEADER.time]: new Date().toISOString(),
      },
    }));
    await producer.send({ topic: name, messages });
  };
  const watch = await feed.open(undefined);
  await send('a', 'b');
  expect([await watch.next(), await watch.next()]).toMatchObject([{ key: 'a' }, { key: 'b' }]);

  epoch = randomUUID();
  await admin.deleteTopics({ topics: [name] });
  await eventually('the topic is gone', async () => !(await admin.listTopics()).includes(name));
  await admin.createTopics({ topics: [{ topic: name }], waitForLeaders: true });
  await eventually('it takes records', () =>
    send('c', 'd')
      .then(() => true)
      .catch(() => false),
  );
  expect(await watch.next()).toBe('missed');
  expect(feed.position()).toMatchObject({ epoch, offset: 2 });
});
