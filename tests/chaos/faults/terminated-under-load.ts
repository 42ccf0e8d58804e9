import { eventually } from '@gudang/testing/eventually';
import type { Fault } from '../fault.ts';
import type { Acknowledged } from '../history.ts';
import { startSteadyClients } from '../load/steady-clients.ts';
import { SIDES } from '../rig/backing.ts';
import { groupMembers } from './probes.ts';

/**
 * Errors that are allowed for clients that open a connection per request and ignore `/readyz`.
 * ECONNRESET is harmless: when a server stops listening, the kernel resets the connections that the
 * server has not accepted yet, so the server has not read their requests.
 */
const HARMLESS = new Set(['ECONNREFUSED', 'ECONNRESET', 'BAD_USER_INPUT']);
/**
 * Maximum time until a decision, in seconds. It is shorter than the consumers' session time-out, so a
 * consumer that does not leave its group exceeds the maximum.
 */
const DECIDED_WITHIN_S = 5;
/** Maximum time until a decision on a loaded machine, as a multiple of the slowest process start. */
const DECIDED_WITHIN_STARTS = 2;

/**
 * Restarts one replica after another with SIGTERM. No request of a client that reuses connections and
 * honors `/readyz` may fail.
 */
export const terminatedUnderLoad: Fault = {
  name: 'terminated-under-load',
  title: 'SIGTERM to one replica after another, under load',
  run: async ({ rig, load, customer, acknowledged, label, note, breach, short }) => {
    const product = load.products.at(-1);
    if (!product) return 0;
    const steadyOrders: Acknowledged[] = [];
    const steady = startSteadyClients({
      parts: () => rig.orders,
      product,
      acknowledged: (order) => {
        steadyOrders.push(order);
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
          breach(`${part.name} did not shut down in order (exit code ${code})`);
        // If a consumer did not leave its group, the others would wait until its session times out.
        const members = await groupMembers(rig, side);
        if (members !== rig.replicas(side).length - 1) {
          breach(`the group of ${side} has ${members} consumers after ${part.name} has left`);
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
          { until: `${part.name} has joined its group again`, within: 30_000 },
        );
      }
    }
    const failed = await steady.stop();
    note(`${steadyOrders.length} orders over reused connections`);
    for (const [why, count] of failed) {
      breach(
        `${count} requests of clients that reuse connections and honor /readyz failed: ${why}`,
      );
    }
    for (const [why, count] of customer.failures) {
      if (!HARMLESS.has(why)) breach(`${count} requests failed with ${why}`);
    }
    // A stored order without an acknowledgement means that the server read the request and then cut the
    // connection.
    const acknowledgedIds = new Set([...load.acknowledged, ...steadyOrders].map(({ id }) => id));
    const stored = await rig.databases.order(
      `SELECT id FROM orders
       WHERE starts_with(product_id, $1) AND created_at < now() - interval '6 s'`,
      [label],
    );
    const unanswered = stored.filter(({ id }) => !acknowledgedIds.has(id)).length;
    if (unanswered > 0) breach(`${unanswered} requests were cut off before their response`);
    const [row] = await rig.databases.order(
      `SELECT extract(epoch FROM max(coalesce(decided_at, now()) - created_at))::float AS longest
       FROM orders WHERE starts_with(product_id, $1)`,
      [label],
    );
    note(`the slowest decision took ${row?.['longest'].toFixed(1)} s`);
    const limit = Math.max(DECIDED_WITHIN_S, DECIDED_WITHIN_STARTS * slowestStart);
    if (row?.['longest'] > limit) {
      breach(
        `an order waited ${row?.['longest'].toFixed(1)} s for its decision; the limit is ${limit.toFixed(1)} s`,
      );
    }
    return fired;
  },
};
