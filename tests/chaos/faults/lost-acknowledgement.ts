import { eventually } from '@gudang/testing/eventually';
import { API_KEYS } from '@gudang/testing/proxy/frames';
import type { Fault } from '../fault.ts';
import { SIDES } from '../rig/backing.ts';

/** The broker has the records and says so; whoever sent them never hears it. */
export const lostAcknowledgement: Fault = {
  name: 'lost-acknowledgement',
  title: 'connection cut after the send, before the acknowledgement',
  short: true,
  run: async ({ rig, short }) => {
    const times = short ? 2 : 6;
    const proxies = SIDES.map((side) => rig.kafka.proxies[side]);
    const count = (): number => proxies.reduce((sum, { counts }) => sum + counts.dropped, 0);
    const before = count();
    for (const proxy of proxies) proxy.dropAnswers(API_KEYS.produce, 'cut', times);
    await eventually(count, (dropped) => dropped >= before + 2 * times, {
      until: 'both relays have lost their acknowledgements',
      within: 60_000,
    });
    for (const proxy of proxies) await proxy.restore();
    return count() - before;
  },
};
