import { eventually } from '@gudang/testing/eventually';
import { API_KEYS } from '@gudang/testing/proxy/frames';
import type { Fault } from '../fault.ts';
import { SIDES, type Side } from '../rig/backing.ts';
import { countOf, isResponsive, relayOf, relayTerm } from './probes.ts';

const END_SESSION = `SELECT pg_terminate_backend(pid) FROM pg_locks
  WHERE locktype = 'advisory' AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;

/**
 * Delays a relay's batch and ends the relay's database session, so another relay takes over. That relay
 * sends the same events and newer ones. Only then does the delayed batch reach the broker.
 */
export const twoRelays: Fault = {
  name: 'two-relays',
  title: 'two relays at once: a replaced relay still sends',
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
        { until: 'a batch of events is held' },
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
        { until: 'the new relay has sent the events of the first one', within: 30_000 },
      );
      fired += proxy.counts.held - held;
      await proxy.restore();
    }
    return fired;
  },
};

/**
 * Maximum time until another relay replaces a frozen one, in milliseconds: the guaranteed 5 s plus a
 * tolerance of 1 s.
 */
const REPLACED_WITHIN_MS = 6_000;

function frozen(side: Side): Fault {
  return {
    name: `${side}-relay-frozen`,
    title: `the relay of ${side}_db frozen, replaced, then continued`,
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
      if (took > REPLACED_WITHIN_MS) breach(`${replaced}; the limit is 5 s`);
      await load.more(20);
      part.kill('SIGCONT');
      await eventually(
        () => isResponsive(part),
        (alive) => alive,
        { until: `${part.name} responds again` },
      );
      await load.more(20);
      return 1;
    },
  };
}

export const orderRelayFrozen = frozen('order');
export const stockRelayFrozen = frozen('stock');

/** Cuts the relays' connections after the broker has stored records, so the acknowledgements are lost. */
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
