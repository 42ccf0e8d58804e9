import { setTimeout as pause } from 'node:timers/promises';
import type { Fault } from '../fault.ts';
import { SIDES } from '../rig/backing.ts';

/** Nothing is refused and nothing answered, as when a cable is pulled. */
export const brokerSilent: Fault = {
  name: 'broker-silent',
  title: 'connections to the broker open and silent for 12 s',
  run: async ({ rig, load }) => {
    const proxies = SIDES.map((side) => rig.kafka.proxies[side]);
    const stalled = (): number => proxies.reduce((sum, { counts }) => sum + counts.stalled, 0);
    const before = stalled();
    for (const proxy of proxies) proxy.stall();
    await Promise.all([pause(12_000), load.more(50)]);
    for (const proxy of proxies) await proxy.restore();
    return stalled() - before;
  },
};

export const databasesSilent: Fault = {
  name: 'databases-silent',
  title: 'connections to both databases open and silent for 7 s',
  run: async ({ rig, load }) => {
    const proxies = SIDES.map((side) => rig.postgres[side].proxy);
    const stalled = (): number => proxies.reduce((sum, { counts }) => sum + counts.stalled, 0);
    const before = stalled();
    for (const proxy of proxies) proxy.stall();
    await pause(7_000);
    for (const proxy of proxies) await proxy.restore();
    await load.more(20);
    return stalled() - before;
  },
};
