import type { Fault } from '../fault.ts';

export const brokerKilled: Fault = {
  name: 'broker-killed',
  title: 'broker killed −9 and started with its data',
  run: async ({ rig, load, short }) => {
    const times = short ? 1 : 2;
    for (let left = times; left > 0; left -= 1) {
      await rig.kafka.kill();
      await load.more(30);
      await rig.kafka.start();
      await load.more(30);
    }
    return times;
  },
};
