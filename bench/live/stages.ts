import {
  decodeOrderCreated,
  decodeStockChanged,
  ORDER_CREATED,
  STOCK_CHANGED,
} from '@gudang/events';
import type { System } from '@gudang/testing/system/system';
import { createTopicArchive } from '@gudang/testing/topic-archive';
import { Kafka, logLevel } from 'kafkajs';

/** Times of an order's stages, in milliseconds since 1970. */
export interface Stages {
  /** Time at which the record order_created was sent to the broker. */
  readonly sent: number;
  /** Start of the transaction that decided the order. */
  readonly decided: number;
  /** Time at which the record stock_changed was sent to the broker. */
  readonly published: number;
}

/** Reads from the topics the times of the stages of each confirmed order. */
export async function readStages({
  kafkaBrokers,
  topicPrefix,
}: Pick<System, 'kafkaBrokers' | 'topicPrefix'>): Promise<Map<string, Stages>> {
  const client = new Kafka({ brokers: kafkaBrokers.split(','), logLevel: logLevel.NOTHING });
  const admin = client.admin();
  await admin.connect();
  try {
    const records = await createTopicArchive({
      client,
      admin,
      name: (topic) => `${topicPrefix}${topic}`,
      bare: (topic) => topic.slice(topicPrefix.length),
    }).catchUp();
    const sent = new Map<string, number>();
    for (const { value, timestamp } of records[ORDER_CREATED] ?? []) {
      const decoded = decodeOrderCreated(value);
      if (decoded.ok) sent.set(decoded.message.id, timestamp);
    }
    const stages = new Map<string, Stages>();
    for (const { value, timestamp } of records[STOCK_CHANGED] ?? []) {
      if (value === null) continue;
      const { orderId, stock } = decodeStockChanged(value);
      if (orderId === null) continue;
      stages.set(orderId, {
        sent: sent.get(orderId) ?? Number.NaN,
        decided: stock.updatedAt.getTime(),
        published: timestamp,
      });
    }
    return stages;
  } finally {
    await admin.disconnect();
  }
}
