import { eventually } from '@gudang/testing/eventually';
import { API_KEYS } from '@gudang/testing/proxy/frames';
import type { Fault } from '../fault.ts';
import { SIDES } from '../rig/backing.ts';
import { countOf, relayTerm } from './look.ts';

const END_SESSION = `SELECT pg_terminate_backend(pid) FROM pg_locks
  WHERE locktype = 'advisory' AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;

/**
 * A relay loses its session while what it sends is on its way; another one sends the same and more;
 * then the first one's batch arrives.
 */
export const twoRelays: Fault = {
  name: 'two-relays',
  title: 'two relays at once: a replaced one still sends',
  short: true,
  run: async ({ rig, load, short }) => {
    let fired = 0;
    for (const side of short ? (['stock'] as const) : SIDES) {
      const proxy = rig.kafka.proxies[side];
      const held = proxy.counts.held;
      const term = await relayTerm(rig, side);
      proxy.hold(API_KEYS.produce, 1);
      await eventually(
        () => proxy.counts.held,
        (now) => now > held,
        { until: 'a batch of events is on its way' },
      );
      await rig.databases[side](END_SESSION);
      await eventually(
        () => relayTerm(rig, side),
        (now) => now > term,
        { until: 'another relay has taken over', within: 30_000 },
      );
      await load.more(20);
      await eventually(
        () => countOf(rig, side, "outbox WHERE created_at < now() - interval '2 s'"),
        (late) => late === 0,
        { until: 'the other relay has sent what the first one was sending', within: 30_000 },
      );
      fired += proxy.counts.held - held;
      await proxy.restore();
    }
    return fired;
  },
};
