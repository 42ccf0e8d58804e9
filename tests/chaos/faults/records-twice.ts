import { ORDER_CHANGED, ORDER_CREATED, ORDER_DECIDED, STOCK_CHANGED } from '@gudang/events';
import type { Fault } from '../fault.ts';

const TOPICS = [ORDER_CREATED, ORDER_DECIDED, ORDER_CHANGED, STOCK_CHANGED];

/** Byte for byte, with their headers, to the partitions they were in. */
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
