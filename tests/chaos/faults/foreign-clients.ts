import { randomUUID } from 'node:crypto';
import { ORDER_CREATED } from '@gudang/events';
import { startForeignProducer } from '@gudang/kafka/testing';
import { generateForeignRecords } from '@gudang/testing/foreign-records';
import type { Fault } from '../fault.ts';

/**
 * Sends records with Kafka's Java client, with each codec, in committed, aborted and overlapping
 * transactions, with unusual headers, keys, timestamps and values.
 */
export const foreignClients: Fault = {
  name: 'foreign-clients',
  title: 'records of the Java client: codecs, transactions, headers',
  run: async ({ rig, load, random, foreign, label, short, note }) => {
    const [topic] = (await rig.admin.fetchTopicMetadata({ topics: [rig.name(ORDER_CREATED)] }))
      .topics;
    const { commands, expected } = generateForeignRecords(random, {
      topic: rig.name(ORDER_CREATED),
      partitions: topic?.partitions.length ?? 1,
      productIds: load.products.map(({ id }) => id),
      batches: short ? 40 : 300,
      label: rig.name(label),
      createId: randomUUID,
    });
    for (const { outcome, id, productId } of expected) {
      if (outcome === 'applied' && id && productId) foreign.push({ id, productId });
    }
    const producer = await startForeignProducer(rig.brokers);
    await Promise.all([producer.run(commands), load.more(short ? 20 : 150)]);
    await producer.stop();
    note(`${expected.length} records, ${foreign.length} of them orders`);
    return expected.length;
  },
};
