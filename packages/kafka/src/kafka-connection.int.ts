import { connect, createServer, type Socket } from 'node:net';
import { testTopicPrefix } from '@gudang/embedded/testing';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { type KafkaConnection, startKafka } from './kafka-connection.ts';
import { createTestService } from './testing/test-service.ts';
import { withDeadLetters } from './topics.ts';

describe('startKafka', () => {
  const brokers = inject('kafkaBrokers');
  let running: KafkaConnection[] = [];
  const start = (...given: Parameters<typeof startKafka>): KafkaConnection => {
    const kafka = startKafka(...given);
    running.push(kafka);
    return kafka;
  };
  afterEach(async () => {
    await Promise.all(running.map((kafka) => kafka.stop()));
    running = [];
  });

  it('creates missing topics, even if two processes do so at once, and keeps dead letters indefinitely', async () => {
    const service = createTestService({ brokers, prefix: testTopicPrefix() });
    const specs = withDeadLetters({ topic: 'order_created', partitions: 2 });
    const [kafka] = [start(service, specs), start(service, specs)];
    await Promise.all(running.map(({ ready }) => ready));
    const admin = kafka.client.admin();
    await admin.connect();
    const topic = kafka.name('order_created');
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic, `${topic}.dlt`] });
    const counts = topics.map(({ name, partitions }) => [name, partitions.length]);
    expect(Object.fromEntries(counts)).toEqual({ [topic]: 2, [`${topic}.dlt`]: 1 });
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: 2, name: `${topic}.dlt`, configNames: ['retention.ms'] }],
    });
    expect(resources[0]?.configEntries[0]?.configValue).toBe('-1');
    await admin.disconnect();
    expect(service.failures).toEqual([]);
    expect(kafka.state()).toEqual({ state: 'ok' });
  });

  it('rejects a change topic of two partitions and names the setting', async () => {
    const service = createTestService({ brokers, prefix: testTopicPrefix() });
    await start(service, [{ topic: 'stock_changed', partitions: 2 }]).ready;
    start(service, [{ topic: 'stock_changed', partitions: 1, totalOrder: true }]);
    await expect
      .poll(() => service.failures.length > 0, {
        message: 'the topic is rejected',
      })
      .toBe(true);
    expect(service.failures[0]).toMatch(/has 2 partitions and must have 1.*KAFKA_TOPIC_PREFIX/);
  });

  it('waits for a broker that is unavailable at the start, and logs the outage', async () => {
    const [host = '', port = ''] = brokers.split(':');
    const sockets = new Set<Socket>();
    let attempts = 0;
    let isDown = true;
    // The proxy accepts the first connections. Later connections go to the broker's real address,
    // which the client learns from the broker's metadata.
    const proxy = createServer((socket) => {
      attempts += 1;
      if (isDown) return socket.destroy();
      const upstream = connect(Number(port), host);
      for (const one of [socket, upstream]) {
        sockets.add(one);
        one.on('error', () => {});
      }
      return socket.pipe(upstream).pipe(socket);
    });
    proxy.listen(0, '127.0.0.1');
    await new Promise((resolve) => proxy.once('listening', resolve));
    const address = proxy.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const service = createTestService({
      brokers: `127.0.0.1:${address.port}`,
      prefix: testTopicPrefix(),
    });
    const kafka = start(service, [{ topic: 'order_created', partitions: 2 }]);
    let isReady = false;
    void kafka.ready.then(() => {
      isReady = true;
    });
    expect(kafka.state()).toMatchObject({ state: 'degraded' });
    expect((await service.health.report()).ready).toBe(true);
    await expect.poll(() => attempts >= 3, { message: 'it has retried' }).toBe(true);
    await expect
      .poll(
        () =>
          service.lines.some((line) =>
            line.includes('does not answer: start it, or set KAFKA_BROKERS'),
          ),
        { message: 'it logs the outage' },
      )
      .toBe(true);
    expect(isReady).toBe(false);
    isDown = false;
    await kafka.ready;
    expect(kafka.state()).toEqual({ state: 'ok' });
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
});
