import { ORDER_CREATED, ORDER_DECIDED } from '@gudang/events';
import { eventually } from '@gudang/testing/eventually';
import type { Fault } from '../fault.ts';
import { SIDES } from '../rig/backing.ts';
import { restartAll } from './kill-all.ts';
import { counterOf } from './look.ts';

const CONSUMED = { order: ORDER_DECIDED, stock: ORDER_CREATED } as const;
const COUNTERS = {
  order: 'gudang_decisions_received_total',
  stock: 'gudang_decisions_total',
} as const;

/** Everything that ever was is read again. */
export const offsetsReset: Fault = {
  name: 'offsets-reset',
  title: 'offsets of both groups reset to the beginning',
  run: async ({ rig }) => {
    let fired = 0;
    for (const side of SIDES) {
      const parts = rig.replicas(side);
      // A group's offsets can be set only while nobody is in it; whoever is stopped leaves it.
      await Promise.all(parts.map((part) => part.stop()));
      const groupId = rig.name(`${side}-subgraph`);
      await rig.admin.resetOffsets({ groupId, topic: rig.name(CONSUMED[side]), earliest: true });
      await restartAll(parts);
      const repeats = await eventually(
        () => counterOf(parts, COUNTERS[side], 'repeat'),
        (count) => count > 0,
        { until: `${side} reads again what it knows`, within: 30_000 },
      );
      fired += repeats > 0 ? 1 : 0;
    }
    return fired;
  },
};
