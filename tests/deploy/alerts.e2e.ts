import { randomUUID } from 'node:crypto';
import { encodeOrderCreated, ORDER_CREATED } from '@gudang/events';
import { createShopClient } from '@gudang/testing/clients/shop-client';
import { eventually } from '@gudang/testing/eventually';
import { startTcpProxy, type TcpProxy } from '@gudang/testing/proxy/tcp-proxy';
import { type System, startSystem } from '@gudang/testing/system/system';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Alert, findPrometheus, type Prometheus, startPrometheus } from './prometheus.ts';

const prometheus = await findPrometheus();
const skipped = prometheus
  ? ''
  : ' (skipped: prometheus is not installed and PROMETHEUS is not set)';
/** Number of records that exceeds the threshold of the alert GudangConsumerLag. */
const RECORDS = 10_500;
const FIRES_WITHIN_MS = 40_000;

describe.skipIf(!prometheus)(`alert rules in Prometheus${skipped}`, () => {
  let system: System;
  let database: TcpProxy;
  let watching: Prometheus;

  beforeAll(async () => {
    system = await startSystem({
      postgresUrl: inject('postgresUrl'),
      kafkaBrokers: inject('kafkaBrokers'),
      through: async ({ from, to }, address) => {
        if (from !== 'stock' || to !== 'postgres') return address;
        const url = new URL(address);
        database = await startTcpProxy({ port: Number(url.port) });
        url.port = String(database.port);
        return url.href;
      },
    });
    const targets = system.parts().map(({ port }) => `127.0.0.1:${port}`);
    watching = await startPrometheus(prometheus ?? '', targets);
  });
  afterAll(async () => {
    await watching?.stop();
    await database?.restore();
    await system?.stop();
    await database?.stop();
  });

  /** Returns the alerts about values that are not known. */
  const unknown = async (): Promise<string[]> => {
    const alerts = await watching.alerts();
    return namesOf(alerts.filter(({ labels }) => labels['alertname']?.endsWith('Unknown')));
  };
  const firing = async (): Promise<string[]> => {
    const alerts = await watching.alerts();
    const active = alerts.filter(({ state, labels }) => state === 'firing' && labels['topic']);
    return [
      ...new Set(
        active.map(
          ({ labels }) => `${labels['alertname']} ${labels['service']} ${labels['topic']}`,
        ),
      ),
    ].toSorted();
  };

  it('fire for a stuck consumer and then for its lag while its database is silent, and resolve when the database responds', async () => {
    const shop = createShopClient(system.graph);
    const { id } = await shop.addStock({ quantity: 1_000_000 });
    const order = await shop.createOrder({ productId: id, quantity: 1 });
    await shop.decided(order.id);
    await expect.poll(watching.scraped, { message: 'all targets are scraped' }).toBe(3);
    await expect.poll(firing, { message: 'no alert fires' }).toHaveLength(0);
    await expect.poll(unknown, { message: 'every value is known' }).toEqual([]);

    database.stall();
    await send(id, 1);
    const stuck = 'GudangConsumerStuck stock-subgraph order_created';
    await eventually(firing, (names) => names.includes(stuck), {
      until: 'the alert for the stuck consumer fires',
      within: FIRES_WITHIN_MS,
    });
    await expect
      .poll(unknown, {
        message: 'the alert for the unknown outbox fires',
        timeout: FIRES_WITHIN_MS,
      })
      .toEqual(['GudangOutboxUnknown stock-subgraph']);
    // The stuck consumer does not process these records, so its lag grows.
    await send(id, RECORDS);
    const lag = 'GudangConsumerLag stock-subgraph order_created';
    await eventually(firing, (names) => names.join() === [lag, stuck].join(), {
      until: 'the alert for its lag fires',
      within: FIRES_WITHIN_MS,
    });

    await database.restore();
    await expect
      .poll(firing, { message: 'no alert fires any more', timeout: FIRES_WITHIN_MS })
      .toHaveLength(0);
    await expect
      .poll(unknown, { message: 'every value is known again', timeout: FIRES_WITHIN_MS })
      .toEqual([]);
  });

  it('fire when no service is scraped', async () => {
    const blind = await startPrometheus(prometheus ?? '', []);
    try {
      await expect
        .poll(async () => namesOf(await blind.alerts()), { timeout: FIRES_WITHIN_MS })
        .toEqual([
          'GudangConsumerUnknown order-subgraph',
          'GudangConsumerUnknown stock-subgraph',
          'GudangOutboxUnknown order-subgraph',
          'GudangOutboxUnknown stock-subgraph',
          'GudangServiceAbsent gateway',
          'GudangServiceAbsent order-subgraph',
          'GudangServiceAbsent stock-subgraph',
        ]);
    } finally {
      await blind.stop();
    }
  });

  /** Sends records of orders directly to Kafka. */
  async function send(productId: string, count: number): Promise<void> {
    const client = new Kafka({ brokers: [system.kafkaBrokers], logLevel: logLevel.NOTHING });
    const producer = client.producer({ createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
    // The records are sent in batches, because a broker accepts at most 1 MiB per request by default.
    for (let sent = 0; sent < count; sent += 1_000) {
      const messages = Array.from({ length: Math.min(1_000, count - sent) }, () => {
        const order = { id: randomUUID(), productId, quantity: 1, createdAt: new Date() };
        return { key: productId, value: encodeOrderCreated(order) };
      });
      await producer.send({ topic: `${system.topicPrefix}${ORDER_CREATED}`, messages });
    }
    await producer.disconnect();
  }
});

/** Returns the names and services of the firing alerts. */
function namesOf(alerts: readonly Alert[]): string[] {
  return alerts
    .filter(({ state }) => state === 'firing')
    .map(({ labels }) => `${labels['alertname']} ${labels['service']}`)
    .toSorted();
}
