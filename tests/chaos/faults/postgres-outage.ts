import type { Fault } from '../fault.ts';
import type { Side } from '../rig/backing.ts';

function outage(side: Side, how: 'restarted' | 'killed'): Fault {
  return {
    name: `${side}-database-${how}`,
    title: `PostgreSQL of ${side}_db ${how === 'killed' ? 'killed −9' : 'restarted'}, mid-load`,
    short: (side === 'order') === (how === 'killed'),
    run: async ({ rig, load, short, breach }) => {
      const server = rig.postgres[side];
      const times = short ? 1 : 3;
      let fired = 0;
      for (let left = times; left > 0; left -= 1) {
        await (how === 'killed' ? server.kill() : server.stop());
        fired += server.running() ? 0 : 1;
        await server.start();
        await load.more(30);
      }
      // A service waits for its database; whatever would start it anew may not be there.
      for (const part of [...rig.orders, ...rig.stocks, rig.gateway]) {
        if (!part.running()) breach(`${part.name} has ended`);
      }
      return fired;
    },
  };
}

export const orderDatabaseRestarted = outage('order', 'restarted');
export const orderDatabaseKilled = outage('order', 'killed');
export const stockDatabaseRestarted = outage('stock', 'restarted');
export const stockDatabaseKilled = outage('stock', 'killed');
