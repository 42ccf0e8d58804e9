import { eventually } from '@gudang/testing/eventually';
import type { Fault } from '../fault.ts';
import type { Side } from '../rig/backing.ts';
import { answers, relayOf, relayTerm } from './look.ts';

/** As the guarantee says, with a second for this machine. */
const REPLACED_WITHIN_MS = 6_000;

function frozen(side: Side): Fault {
  return {
    name: `${side}-relay-frozen`,
    title: `the relay of ${side}_db frozen, replaced, then running on`,
    run: async ({ rig, load, note, breach }) => {
      const term = await relayTerm(rig, side);
      const part = await relayOf(rig, side);
      const began = performance.now();
      part.kill('SIGSTOP');
      await eventually(
        () => relayTerm(rig, side),
        (now) => now > term,
        { until: 'another relay has taken over', within: 30_000 },
      );
      const took = performance.now() - began;
      const replaced = `the frozen relay was replaced after ${(took / 1_000).toFixed(1)} s`;
      note(replaced);
      if (took > REPLACED_WITHIN_MS) breach(`${replaced}, not within 5`);
      await load.more(20);
      part.kill('SIGCONT');
      await eventually(
        () => answers(part),
        (alive) => alive,
        { until: `${part.name} answers again` },
      );
      await load.more(20);
      return 1;
    },
  };
}

export const orderRelayFrozen = frozen('order');
export const stockRelayFrozen = frozen('stock');
