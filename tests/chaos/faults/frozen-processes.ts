import { eventually } from '@gudang/testing/eventually';
import type { ServiceProcess } from '@gudang/testing/system/service-process';
import type { Fault, FaultContext } from '../fault.ts';
import type { Side } from '../rig/backing.ts';
import { lockStocks } from './held-lock.ts';
import { groupMembers, isResponsive } from './probes.ts';

const SESSION_ENDS_WITHIN_MS = 30_000;
const OTHERS_SETTLE_WITHIN_MS = 20_000;

/** Freezes a replica with SIGSTOP, waits until its consumer group has removed it, and continues it. */
export async function freezePastSession(
  { rig, load, breach }: FaultContext,
  side: Side,
  part: ServiceProcess,
): Promise<number> {
  const members = await groupMembers(rig, side);
  part.kill('SIGSTOP');
  await eventually(
    () => groupMembers(rig, side),
    (left) => left < members,
    { until: `the group of ${side} removes ${part.name}`, within: SESSION_ENDS_WITHIN_MS },
  );
  await load.more(30);
  // While this replica is frozen, the other replicas must decide all orders. Only orders that exist now
  // are checked, because the load keeps creating orders.
  const [clock] = await rig.databases.order('SELECT now() AS now');
  await eventually(
    async () => {
      const [row] = await rig.databases.order(
        "SELECT count(*)::int AS late FROM orders WHERE status = 'PENDING' AND created_at <= $1",
        [clock?.['now']],
      );
      return row?.['late'];
    },
    (late) => late === 0,
    { until: 'the other replicas have decided all orders', within: OTHERS_SETTLE_WITHIN_MS },
  ).catch((error: Error) => breach(`while ${part.name} is frozen: ${error.message}`));
  part.kill('SIGCONT');
  await eventually(
    () => isResponsive(part),
    (alive) => alive,
    { until: `${part.name} responds again` },
  );
  return 1;
}

export const stockFrozen: Fault = {
  name: 'stock-frozen',
  title: 'a stock replica frozen beyond its session time-out, then continued',
  run: async (context) => {
    const [, part] = context.rig.stocks;
    return part ? freezePastSession(context, 'stock', part) : 0;
  },
};

export const orderFrozen: Fault = {
  name: 'order-frozen',
  title: 'an order replica frozen beyond its session time-out, then continued',
  run: async (context) => {
    const [part] = context.rig.orders;
    return part ? freezePastSession(context, 'order', part) : 0;
  },
};

/** Freezes the replica that serves the gateway's streams and some direct subscribers. */
export const replicaWithClientsFrozen: Fault = {
  name: 'live-replica-frozen',
  title: 'a replica with live clients frozen beyond its session time-out',
  run: async (context) => {
    const [part] = context.rig.stocks;
    if (!part) return 0;
    const names = ['first', 'second', 'third'];
    await Promise.all(
      names.map((name) => context.watch(`at the frozen replica, ${name}`, () => part.url)),
    );
    return freezePastSession(context, 'stock', part);
  },
};

/**
 * Freezes a replica while it holds row locks. The other replicas must not wait indefinitely for these
 * locks.
 */
export const frozenInTransaction: Fault = {
  name: 'stock-frozen-in-transaction',
  title: 'a stock replica frozen while it holds row locks',
  run: async (context) => {
    const { rig, load } = context;
    const locked = await lockStocks(
      rig.postgres.stock.url,
      load.products.map(({ id }) => id),
    );
    try {
      // The test holds the row locks until the replica is frozen, and then releases them. PostgreSQL
      // grants them to the frozen replica, which cannot release them.
      const victim = await eventually(
        () => locked.waitingStatements(),
        (waiting) => waiting > 0,
        { until: 'a consumer waits for a row lock' },
      );
      const [part] = rig.stocks;
      if (!part || victim === 0) return 0;
      part.kill('SIGSTOP');
      await locked.release();
      return await freezePastSession(context, 'stock', part);
    } finally {
      await locked.release();
    }
  },
};
