import { eventually } from '@gudang/testing/eventually';
import { API_KEYS } from '@gudang/testing/proxy/frames';
import type { Fault } from '../fault.ts';
import { killAll, restartAll } from './kill-all.ts';
import { counterOf } from './look.ts';

/** Decisions are in the database, the offsets behind them are not with the broker: all is read again. */
export const stockKilledBeforeCommit: Fault = {
  name: 'stock-killed-before-commit',
  title: 'stock service killed −9 between database and offset commit',
  short: true,
  run: async ({ rig, load, short }) => {
    const proxy = rig.kafka.proxies.stock;
    let fired = 0;
    for (let left = short ? 1 : 3; left > 0; left -= 1) {
      const before = proxy.counts.held;
      proxy.hold(API_KEYS.offsetCommit);
      await eventually(
        () => proxy.counts.held,
        (held) => held > before,
        { until: 'a commit of offsets is kept back' },
      );
      await load.more(10);
      await killAll(rig.stocks);
      // What was kept back must never reach the broker: it would be the commit, only late.
      await proxy.cut();
      await proxy.restore();
      await restartAll(rig.stocks);
      await eventually(
        () => counterOf(rig.stocks, 'gudang_decisions_total', 'repeat'),
        (repeats) => repeats > 0,
        { until: 'orders are read again that were decided before', within: 30_000 },
      );
      fired += 1;
    }
    return fired;
  },
};
