import { eventually } from '@gudang/testing/eventually';
import type { Fault } from '../fault.ts';
import { freezePastSession } from './frozen.ts';
import { lockStocks } from './hold-lock.ts';

/** It holds the rows' locks while it is frozen; nobody else may wait for it for ever. */
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
      // Its consumers wait for our locks; each is handed them once it is frozen.
      const victim = await eventually(
        () => locked.whoWaits(),
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
