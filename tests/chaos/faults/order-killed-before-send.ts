import type { Fault } from '../fault.ts';
import { killAll, restartAll } from './kill-all.ts';
import { countOf } from './look.ts';

/** Orders are committed, their events wait behind a broker that says nothing; then every replica dies. */
export const orderKilledBeforeSend: Fault = {
  name: 'order-killed-before-send',
  title: 'order service killed −9 between commit and send',
  short: true,
  run: async ({ rig, load, short }) => {
    const proxy = rig.kafka.proxies.order;
    let fired = 0;
    for (let left = short ? 1 : 3; left > 0; left -= 1) {
      proxy.stall();
      await load.more(20);
      await killAll(rig.orders);
      fired += (await countOf(rig, 'order', "outbox WHERE topic = 'order_created'")) > 0 ? 1 : 0;
      await proxy.restore();
      await restartAll(rig.orders);
    }
    return fired;
  },
};
