import { ORDER_CREATED } from '@gudang/events';
import { API_KEYS } from '@gudang/testing/proxy/frames';
import type { Fault } from '../fault.ts';

/** While their relay is held up, new orders arrive by another way, shuffled over all partitions. */
export const recordsOutOfOrder: Fault = {
  name: 'records-out-of-order',
  title: 'records out of order, between partitions',
  short: true,
  run: async ({ rig, load, random, short }) => {
    const proxy = rig.kafka.proxies.order;
    proxy.hold(API_KEYS.produce);
    await load.more(short ? 40 : 150);
    const rows = await rig.databases.order('SELECT key, value FROM outbox WHERE topic = $1', [
      ORDER_CREATED,
    ]);
    const [topic] = (await rig.admin.fetchTopicMetadata({ topics: [rig.name(ORDER_CREATED)] }))
      .topics;
    const partitions = topic?.partitions.length ?? 1;
    const messages = random.shuffled(rows).map(({ key, value }) => ({
      key,
      value,
      partition: random.between(0, partitions - 1),
    }));
    await rig.producer.send({ topic: rig.name(ORDER_CREATED), messages });
    await proxy.restore();
    return messages.length;
  },
};
