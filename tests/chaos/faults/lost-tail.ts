import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  ORDER_CANCELLED,
  ORDER_CHANGED,
  ORDER_CREATED,
  ORDER_DECIDED,
  STOCK_CHANGED,
} from '@gudang/events';
import { loseTail } from '@gudang/kafka/testing';
import type { Fault } from '../fault.ts';

/**
 * The topics that may lose records. Dead-letter topics may not: the broker syncs each dead letter
 * before it acknowledges it.
 */
const TOPICS = [ORDER_CREATED, ORDER_CANCELLED, ORDER_DECIDED, ORDER_CHANGED, STOCK_CHANGED];
const MOST_BATCHES = 20;

/** Kills the broker and deletes the last batches of each partition, as after a power failure. */
export const brokerLosesTail: Fault = {
  name: 'broker-loses-tail',
  title: 'broker killed; the end of each log is lost',
  run: async ({ rig, load, archive, random, note, short }) => {
    const data = join(rig.directory, 'kafka', 'data');
    let batches = 0;
    let records = 0;
    for (let left = short ? 1 : 3; left > 0; left -= 1) {
      await load.more(30);
      // The records of transactions are read here, because their outcome is not in each log.
      await archive.catchUp();
      await rig.kafka.kill();
      for (const folder of await readdir(data)) {
        const [, topic = '', partition] = /^(.+)-(\d+)$/.exec(folder) ?? [];
        if (!TOPICS.map(rig.name).includes(topic)) continue;
        const logs = (await readdir(join(data, folder))).filter((name) => name.endsWith('.log'));
        const newest = logs.sort().at(-1);
        const count = random.between(0, MOST_BATCHES);
        const lost = newest && (await loseTail(join(data, folder, newest), count));
        if (!lost) continue;
        const place = { topic, partition: Number(partition) };
        archive.lose(
          place,
          lost.from,
          lost.records.map((record) => ({ ...record, ...place })),
        );
        batches += count;
        records += lost.records.filter(({ offset }) => Number(offset) >= lost.from).length;
      }
      await rig.kafka.start();
      await load.more(30);
    }
    note(`${records} acknowledged records were lost`);
    return batches;
  },
};
