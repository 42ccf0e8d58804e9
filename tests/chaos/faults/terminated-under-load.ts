import { eventually } from '@gudang/testing/eventually';
import type { Fault } from '../fault.ts';
import type { Acknowledged } from '../history.ts';
import { startSteadyClients } from '../load/steady-clients.ts';
import { SIDES } from '../rig/backing.ts';
import { groupMembers } from './look.ts';

/**
 * What a client may meet that opens a connection for each request and never asks `/readyz`. Reset: the
 * system does that to connections that wait to be taken when a server stops listening; no request of
 * theirs has been read.
 */
const HARMLESS = new Set(['ECONNREFUSED', 'ECONNRESET', 'BAD_USER_INPUT']);
/** Below every session time-out. */
const DECIDED_WITHIN_S = 5;
/** A machine on which a process takes long to start is busy, and takes as long for everything. */
const DECIDED_WITHIN_STARTS = 2;

/** A rolling restart that nobody notices. */
export const terminatedUnderLoad: Fault = {
  name: 'terminated-under-load',
  title: 'SIGTERM to one replica after another, under load',
  short: true,
  run: async ({ rig, load, customer, acknowledged, label, note, breach, short }) => {
    const product = load.products.at(-1);
    if (!product) return 0;
    const heard: Acknowledged[] = [];
    const steady = startSteadyClients({
      parts: () => rig.orders,
      product,
      acknowledged: (order) => {
        heard.push(order);
        acknowledged(order);
      },
    });
    const replicas = () =>
      SIDES.flatMap((side) => rig.replicas(side).map((part) => ({ side, part })));
    let fired = 0;
    let slowestStart = 0;
    for (let left = short ? 1 : 3; left > 0; left -= 1) {
      for (const { side, part } of replicas()) {
        const inTime = await part.stop();
        const { code } = await part.exited;
        if (!inTime || code !== 0)
          breach(`${part.name} did not leave in order (exit code ${code})`);
        // One that left without a word would be waited for until its session ends.
        const members = await groupMembers(rig, side);
        if (members !== rig.replicas(side).length - 1) {
          breach(`${members} consumers are in the group of ${side} once ${part.name} has left`);
        }
        fired += 1;
        await load.more(10);
        const began = performance.now();
        await part.restart();
        await part.ready();
        slowestStart = Math.max(slowestStart, (performance.now() - began) / 1_000);
        await eventually(
          () => groupMembers(rig, side),
          (count) => count === rig.replicas(side).length,
          { until: `${part.name} shares the topic again`, within: 30_000 },
        );
      }
    }
    const failed = await steady.stop();
    note(`${heard.length} orders over kept connections`);
    for (const [why, count] of failed) {
      breach(`${count} requests of clients that keep connections and heed /readyz failed: ${why}`);
    }
    for (const [why, count] of customer.failures) {
      if (!HARMLESS.has(why)) breach(`${count} requests failed with ${why}`);
    }
    // Stored and not acknowledged: it was read, and cut off before its answer.
    const known = new Set([...load.acknowledged, ...heard].map(({ id }) => id));
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
    note(`the slowest decision took ${row?.['longest'].toFixed(1)} s`);
    const limit = Math.max(DECIDED_WITHIN_S, DECIDED_WITHIN_STARTS * slowestStart);
    if (row?.['longest'] > limit) {
      breach(`an order waited ${row?.['longest'].toFixed(1)} s for its decision`);
    }
    return fired;
  },
};
