import { randomUUID } from 'node:crypto';
import {
  ORDER_CANCELLED,
  ORDER_CHANGED,
  ORDER_CREATED,
  ORDER_DECIDED,
  STOCK_CHANGED,
} from '@gudang/events';
import { deadLetterTopic } from '@gudang/messages';
import { eventually } from '@gudang/testing/eventually';
import { API_KEYS } from '@gudang/testing/proxy/frames';
import type { Fault } from '../fault.ts';
import { SIDES } from '../rig/backing.ts';
import { badValues } from './bad-values.ts';
import { restartAll } from './killed-processes.ts';
import { counterOf } from './probes.ts';

/**
 * Each invalid record must become a dead letter with its reason. The valid record that follows it must
 * be decided.
 */
export const badRecords: Fault = {
  name: 'bad-records',
  title: 'records that violate the contract in different ways',
  short: true,
  run: async ({ rig, archive, load, foreign, breach }) => {
    const [product] = load.products;
    const productId = product?.id ?? '';
    const [decided] = await eventually(
      () =>
        rig.databases.stock('SELECT order_id, quantity FROM decisions WHERE product_id = $1', [
          productId,
        ]),
      (rows) => rows.length > 0,
      { until: 'an order is decided' },
    );
    const bad = badValues(productId, {
      id: decided?.['order_id'],
      quantity: decided?.['quantity'],
    });
    const sent = new Map<string, RegExp>();
    const topic = rig.name(ORDER_CREATED);
    for (const { value, reason } of bad) {
      const id = randomUUID();
      const valid = { id, product_id: productId, quantity: 1, timestamp: new Date().toISOString() };
      foreign.push({ id, productId });
      const messages = [
        { key: productId, value },
        { key: productId, value: JSON.stringify(valid) },
      ];
      const [answer] = await rig.producer.send({ topic, messages });
      sent.set(`${topic} ${answer?.partition} ${answer?.baseOffset}`, reason);
    }

    const findLetters = async (): Promise<Map<string, string>> => {
      const records = await archive.catchUp();
      const letters = (records[deadLetterTopic(ORDER_CREATED)] ?? []).map(
        ({ headers }) =>
          [
            `${headers['gudang_origin_topic']} ${headers['gudang_origin_partition']} ${headers['gudang_origin_offset']}`,
            headers['gudang_reason'] ?? '',
          ] as const,
      );
      return new Map(letters.filter(([origin]) => sent.has(origin)));
    };
    const letters = await eventually(findLetters, (found) => found.size === sent.size, {
      until: 'all invalid records are dead letters',
      within: 30_000,
    });
    for (const [origin, reason] of letters) {
      const expected = sent.get(origin);
      if (!expected?.test(reason))
        breach(`${origin} was dead-lettered with the reason "${reason}", not ${expected}`);
    }
    return letters.size;
  },
};

/** Sends records in the format of the legacy order service, with four plain fields and no headers. */
export const foreignRecords: Fault = {
  name: 'foreign-records',
  title: 'records of the legacy system: no headers, TimeStamp',
  short: true,
  run: async ({ rig, load, random, foreign, label, short }) => {
    const count = short ? 20 : 100;
    const messages = Array.from({ length: count }, (_, index) => {
      const id = randomUUID();
      const unknown = index % 10 === 0;
      const productId = unknown ? `${label}-unknown` : random.pick(load.products).id;
      foreign.push({ id, productId });
      const order = { id, product_id: productId, quantity: random.between(1, 5) };
      const time = new Date().toISOString();
      const value = index % 2 === 0 ? { ...order, TimeStamp: time } : { ...order, timestamp: time };
      return { key: productId, value: JSON.stringify(value) };
    });
    await rig.producer.send({ topic: rig.name(ORDER_CREATED), messages });
    return messages.length;
  },
};

const TOPICS = [ORDER_CREATED, ORDER_CANCELLED, ORDER_DECIDED, ORDER_CHANGED, STOCK_CHANGED];

/** Sends every record again, with the same bytes and headers, to the same partition. */
export const recordsTwice: Fault = {
  name: 'records-twice',
  title: 'every record sent twice',
  short: true,
  run: async ({ rig, archive, load, label, short }) => {
    await load.more(short ? 40 : 150);
    const records = await archive.catchUp();
    let fired = 0;
    for (const topic of TOPICS) {
      const ofThis = (records[topic] ?? []).filter(({ value }) => value?.includes(label));
      const messages = ofThis.map(({ partition, key, value, headers }) => ({
        partition,
        key,
        value,
        headers,
      }));
      await rig.producer.send({ topic: rig.name(topic), messages });
      fired += messages.length;
    }
    return fired;
  },
};

/** Delays the relay and, in its place, sends its events in random order to random partitions. */
export const recordsOutOfOrder: Fault = {
  name: 'records-out-of-order',
  title: 'records out of order and in random partitions',
  short: true,
  run: async ({ rig, load, random, short }) => {
    const proxy = rig.kafka.proxies.order;
    proxy.hold(API_KEYS.produce);
    await load.more(short ? 40 : 150);
    let fired = 0;
    // Some cancellations reach the stock service before their orders.
    for (const topic of [ORDER_CANCELLED, ORDER_CREATED]) {
      const rows = await rig.databases.order('SELECT key, value FROM outbox WHERE topic = $1', [
        topic,
      ]);
      const { topics } = await rig.admin.fetchTopicMetadata({ topics: [rig.name(topic)] });
      const partitions = topics[0]?.partitions.length ?? 1;
      const messages = random.shuffled(rows).map(({ key, value }) => ({
        key,
        value,
        partition: random.between(0, partitions - 1),
      }));
      await rig.producer.send({ topic: rig.name(topic), messages });
      fired += messages.length;
    }
    await proxy.restore();
    return fired;
  },
};

/** The groups of each subgraph, and the counters of their records. */
const CONSUMED = {
  order: [
    {
      group: 'order-subgraph',
      topic: ORDER_DECIDED,
      counter: 'gudang_decisions_received_total',
    },
  ],
  stock: [
    { group: 'stock-subgraph', topic: ORDER_CREATED, counter: 'gudang_decisions_total' },
    {
      group: 'stock-subgraph-cancellations',
      topic: ORDER_CANCELLED,
      counter: 'gudang_cancellations_total',
    },
  ],
} as const;

/** Makes both subgraphs consume all records again. */
export const offsetsReset: Fault = {
  name: 'offsets-reset',
  title: 'offsets of all groups reset to the beginning',
  run: async ({ rig }) => {
    let fired = 0;
    for (const side of SIDES) {
      const parts = rig.replicas(side);
      // Kafka accepts new offsets only for a group without members. The replicas therefore stop, because
      // a consumer that stops leaves its group.
      await Promise.all(parts.map((part) => part.stop()));
      for (const { group, topic } of CONSUMED[side]) {
        const reset = { groupId: rig.name(group), topic: rig.name(topic), earliest: true };
        await rig.admin.resetOffsets(reset);
      }
      await restartAll(parts);
      for (const { group, counter } of CONSUMED[side]) {
        const repeats = await eventually(
          () => counterOf(parts, counter, 'repeat'),
          (count) => count > 0,
          { until: `${group} consumes old records again`, within: 30_000 },
        );
        fired += repeats > 0 ? 1 : 0;
      }
    }
    return fired;
  },
};
