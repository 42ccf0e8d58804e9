import type { Fault } from '../fault.ts';
import { freezePastSession } from './frozen.ts';

export const stockFrozen: Fault = {
  name: 'stock-frozen',
  title: 'a stock replica frozen past its session, then running on',
  run: async (context) => {
    const [, part] = context.rig.stocks;
    return part ? freezePastSession(context, 'stock', part) : 0;
  },
};

export const orderFrozen: Fault = {
  name: 'order-frozen',
  title: 'an order replica frozen past its session, then running on',
  run: async (context) => {
    const [part] = context.rig.orders;
    return part ? freezePastSession(context, 'order', part) : 0;
  },
};

/** The one that the gateway's streams come from, and clients of its own. */
export const replicaWithClientsFrozen: Fault = {
  name: 'live-replica-frozen',
  title: 'a replica with live clients frozen past its session',
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
