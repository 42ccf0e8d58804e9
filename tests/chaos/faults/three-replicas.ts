import { eventually } from '@gudang/testing/eventually';
import type { Fault } from '../fault.ts';
import { SIDES } from '../rig/backing.ts';
import { groupMembers } from './look.ts';

export const threeReplicas: Fault = {
  name: 'three-replicas',
  title: 'three replicas of each service',
  run: async ({ rig, load, watch, short }) => {
    const added = await Promise.all(SIDES.map((side) => rig.add(side)));
    await Promise.all(added.map((part) => part.ready()));
    for (const side of SIDES) {
      await eventually(
        () => groupMembers(rig, side),
        (members) => members === 3,
        { until: `three consumers share the topic of ${side}` },
      );
    }
    const third = rig.stocks[2];
    // It leaves before the end: whoever watches there goes on elsewhere.
    await watch('at the third replica', () => (rig.stocks[2] ?? rig.stocks[1] ?? third)?.url ?? '');
    await load.more(short ? 60 : 300);
    await Promise.all(added.map((part) => rig.remove(part)));
    return added.length / SIDES.length;
  },
};
