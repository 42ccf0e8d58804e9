import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '@gudang/testing/eventually';
import type { Fault } from '../fault.ts';
import { SIDES } from '../rig/backing.ts';
import { groupMembers } from './probes.ts';

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
    // The third replica is removed below, so this subscriber must then resume at another replica.
    await watch('at the third replica', () => (rig.stocks[2] ?? rig.stocks[1] ?? third)?.url ?? '');
    await load.more(short ? 60 : 300);
    await Promise.all(added.map((part) => rig.remove(part)));
    return added.length / SIDES.length;
  },
};

const STAYS_MS = 2_000;

export const consumersComeAndGo: Fault = {
  name: 'consumers-come-and-go',
  title: 'consumers joining and leaving every 2 s',
  run: async ({ rig, short }) => {
    let fired = 0;
    for (let left = short ? 2 : 6; left > 0; left -= 1) {
      const side = SIDES[left % SIDES.length] ?? 'stock';
      const before = await groupMembers(rig, side);
      const part = await rig.add(side);
      await Promise.all([part.ready(), pause(STAYS_MS)]);
      fired += (await groupMembers(rig, side)) > before ? 1 : 0;
      // Half of the consumers are killed, so they do not leave their group.
      if (left % 4 < 2) part.kill('SIGKILL');
      await rig.remove(part);
    }
    return fired;
  },
};
