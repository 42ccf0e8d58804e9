import type { Fault } from '../fault.ts';
import { SIDES } from '../rig/backing.ts';

/**
 * What a client may meet that goes on to another replica. Reset: the system does that to connections
 * that wait to be taken when a server stops listening; no request of theirs has been read.
 */
const HARMLESS = new Set(['ECONNREFUSED', 'ECONNRESET', 'BAD_USER_INPUT']);
/** Far below every session time-out. */
const DECIDED_WITHIN_S = 5;

/** A rolling restart that nobody notices. */
export const terminatedUnderLoad: Fault = {
  name: 'terminated-under-load',
  title: 'SIGTERM to one replica after another, under load',
  short: true,
  run: async ({ rig, load, customer, label, breach, short }) => {
    let fired = 0;
    for (let left = short ? 1 : 3; left > 0; left -= 1) {
      for (const part of SIDES.flatMap((side) => rig.replicas(side))) {
        const inTime = await part.stop();
        const { code } = await part.exited;
        if (!inTime || code !== 0)
          breach(`${part.name} did not leave in order (exit code ${code})`);
        fired += 1;
        await load.more(10);
        await part.restart();
        await part.ready();
      }
    }
    for (const [why, count] of customer.failures) {
      if (!HARMLESS.has(why)) breach(`${count} requests failed with ${why}`);
    }
    // Stored and not acknowledged: it was read, and cut off before its answer.
    const known = new Set(load.acknowledged.map(({ id }) => id));
    const stored = await rig.databases.order(
      `SELECT id FROM orders
       WHERE starts_with(product_id, $1) AND created_at < now() - interval '6 s'`,
      [label],
    );
    const unheard = stored.filter(({ id }) => !known.has(id)).length;
    if (unheard > 0) breach(`${unheard} requests were cut off before their answer`);
    const [row] = await rig.databases.order(
      `SELECT extract(epoch FROM max(coalesce(decided_at, now()) - created_at))::float AS longest
       FROM orders WHERE starts_with(product_id, $1)`,
      [label],
    );
    if (row?.['longest'] > DECIDED_WITHIN_S) {
      breach(`an order waited ${row?.['longest'].toFixed(1)} s for its decision`);
    }
    return fired;
  },
};
