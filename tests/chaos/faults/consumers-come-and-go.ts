import { setTimeout as pause } from 'node:timers/promises';
import type { Fault } from '../fault.ts';
import { SIDES } from '../rig/backing.ts';
import { groupMembers } from './look.ts';

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
      // Every other one leaves without a word.
      if (left % 4 < 2) part.kill('SIGKILL');
      await rig.remove(part);
    }
    return fired;
  },
};
