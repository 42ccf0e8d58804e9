import { eventually } from '@gudang/testing/eventually';
import type { Fault } from '../fault.ts';
import type { Side } from '../rig/backing.ts';
import { lockOutbox } from './hold-lock.ts';
import { killAll, restartAll } from './kill-all.ts';

/** Every replica dies while it writes an event: the state that the event tells of must be gone too. */
function killedWhileWriting(side: Side): Fault {
  return {
    name: `${side}-killed-while-writing`,
    title: `${side} service killed −9 while it writes an event`,
    short: side === 'stock',
    run: async ({ rig, load, short }) => {
      let fired = 0;
      for (let left = short ? 1 : 3; left > 0; left -= 1) {
        const locked = await lockOutbox(rig.postgres[side].url, side);
        try {
          fired += await eventually(locked.whoWaits, (waiting) => waiting > 0, {
            until: `${side} writes an event`,
          });
          await killAll(rig.replicas(side));
          await locked.endSessions();
        } finally {
          await locked.release();
        }
        await restartAll(rig.replicas(side));
        await load.more(10);
      }
      return fired;
    },
  };
}

export const orderKilledWhileWriting = killedWhileWriting('order');
export const stockKilledWhileWriting = killedWhileWriting('stock');
