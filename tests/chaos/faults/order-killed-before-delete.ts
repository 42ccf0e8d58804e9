import { eventually } from '@gudang/testing/eventually';
import { API_KEYS } from '@gudang/testing/proxy/frames';
import type { Fault } from '../fault.ts';
import { killAll, restartAll } from './kill-all.ts';
import { countOf } from './look.ts';

/** The broker has the events; the relay dies before it has deleted them. */
export const orderKilledBeforeDelete: Fault = {
  name: 'order-killed-before-delete',
  title: 'order service killed −9 between send and delete',
  short: true,
  run: async ({ rig, short }) => {
    const proxy = rig.kafka.proxies.order;
    let fired = 0;
    for (let left = short ? 1 : 3; left > 0; left -= 1) {
      const before = proxy.counts.dropped;
      proxy.dropAnswers(API_KEYS.produce, 'silence');
      await eventually(
        () => proxy.counts.dropped,
        (dropped) => dropped > before,
        { until: 'the broker has acknowledged events' },
      );
      await killAll(rig.orders);
      fired += (await countOf(rig, 'order', 'outbox')) > 0 ? 1 : 0;
      await proxy.restore();
      await restartAll(rig.orders);
    }
    return fired;
  },
};
