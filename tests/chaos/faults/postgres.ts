import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '@gudang/testing/eventually';
import type { Fault } from '../fault.ts';
import { SIDES, type Side } from '../rig/backing.ts';

function outage(side: Side, how: 'restarted' | 'killed'): Fault {
  return {
    name: `${side}-database-${how}`,
    title: `PostgreSQL of ${side}_db ${how} under load`,
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
      // A service must keep running without its database, because there may be no supervisor to restart it.
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

const FAILURES = 3;

function full(side: Side): Fault {
  return {
    name: `${side}-disk-full`,
    title: `disk full for PostgreSQL of ${side}_db`,
    unavailable: (rig) => rig.postgres[side].disk.unavailable,
    run: async ({ rig, load }) => {
      const { disk, logFile, start } = rig.postgres[side];
      const failures = async (): Promise<number> =>
        (await readFile(logFile, 'utf8')).split('No space left on device').length - 1;
      const before = await failures();
      await disk.fill();
      const after = await eventually(failures, (count) => count >= before + FAILURES, {
        until: 'PostgreSQL reports a full disk',
        within: 60_000,
      });
      await disk.clear();
      // PostgreSQL may have exited, because it could not write its log. If it is still running, start()
      // does nothing.
      await start();
      await load.more(20);
      return after - before;
    },
  };
}

export const orderDiskFull = full('order');
export const stockDiskFull = full('stock');

export const databasesSilent: Fault = {
  name: 'databases-silent',
  title: 'connections to both databases open and silent for 7 s',
  run: async ({ rig, load }) => {
    const proxies = SIDES.map((side) => rig.postgres[side].proxy);
    const stalled = (): number => proxies.reduce((sum, { counts }) => sum + counts.stalled, 0);
    const before = stalled();
    for (const proxy of proxies) proxy.stall();
    await pause(7_000);
    for (const proxy of proxies) await proxy.restore();
    await load.more(20);
    return stalled() - before;
  },
};
