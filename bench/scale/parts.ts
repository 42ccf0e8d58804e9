import { ORDER_CREATED, STOCK_CHANGED } from '@gudang/events';
import { HEADER } from '@gudang/messages';
import { dataOf, graphAt } from '@gudang/testing/clients/graph-client';
import { eventually } from '@gudang/testing/eventually';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import type { MeasuredSystem } from './measured-system.ts';

const CHUNK = 2_000;
const WAIT = { within: 120_000, every: 20 };

/**
 * Measures the throughput of one relay: sends events that have no consumers through the outbox of
 * order_db.
 */
export async function relayEvents({ system }: MeasuredSystem, count: number): Promise<void> {
  const { order } = system.databases;
  const value = JSON.stringify({ padding: 'x'.repeat(230) });
  await order(
    `INSERT INTO outbox (topic, key, value)
     SELECT '${ORDER_CREATED}.dlt', convert_to(n::text, 'UTF8'), convert_to($1, 'UTF8')
     FROM generate_series(1, $2) AS n`,
    [value, count],
  );
  await order('NOTIFY outbox');
  await eventually(
    () => order('SELECT FROM outbox LIMIT 1'),
    (rows) => rows.length === 0,
    { until: 'all events are sent', ...WAIT },
  );
}

/**
 * Measures the cost of the change feed in each stock replica: produces changes of stocks without
 * subscribers.
 */
export async function feedChanges(
  { system, running }: MeasuredSystem,
  count: number,
): Promise<void> {
  const [relay] = await system.databases.stock('SELECT term, epoch FROM relay');
  const kafka = new Kafka({ brokers: [system.kafkaBrokers], logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  const admin = kafka.admin();
  await Promise.all([producer.connect(), admin.connect()]);
  const topic = `${system.topicPrefix}${STOCK_CHANGED}`;
  const value = JSON.stringify({ padding: 'x'.repeat(230) });
  try {
    for (let sent = 0; sent < count; sent += CHUNK) {
      const messages = Array.from({ length: Math.min(CHUNK, count - sent) }, (_, index) => ({
        key: `unwatched-${index}`,
        value,
        headers: {
          [HEADER.version]: String(sent + 1),
          [HEADER.term]: String(relay?.['term']),
          [HEADER.epoch]: String(relay?.['epoch']),
          [HEADER.time]: new Date().toISOString(),
        },
      }));
      await producer.send({ topic, messages });
    }
    const [partition] = await admin.fetchTopicOffsets(topic);
    const end = Number(partition?.high);
    for (const { url } of running('stock')) {
      await eventually(
        () => positionOf(url),
        (position) => position >= end,
        { until: 'all changes are read', ...WAIT },
      );
    }
  } finally {
    await Promise.all([producer.disconnect(), admin.disconnect()]);
  }
}

/** Returns the offset in a replica's cursor. */
async function positionOf(url: string): Promise<number> {
  const { stockCursor } = await dataOf(graphAt(`${url}/graphql`)('{ stockCursor }'));
  return Number(Buffer.from(stockCursor, 'base64url').toString().split(',')[2]);
}
