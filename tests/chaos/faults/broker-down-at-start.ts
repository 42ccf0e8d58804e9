import type { Fault } from '../fault.ts';

/** Services that start without a broker take orders at once. */
export const brokerDownAtStart: Fault = {
  name: 'broker-down-at-start',
  title: 'broker down while the services start',
  run: async ({ rig, load, short }) => {
    await rig.kafka.stop();
    const parts = [...rig.orders, ...rig.stocks];
    for (const part of parts) part.kill('SIGKILL');
    await Promise.all(parts.map((part) => part.exited));
    await Promise.all(parts.map((part) => part.restart()));
    await Promise.all(parts.map((part) => part.ready()));
    await load.more(short ? 20 : 200);
    await rig.kafka.start();
    return parts.length;
  },
};
