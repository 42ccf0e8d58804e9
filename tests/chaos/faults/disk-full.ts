import { readFile } from 'node:fs/promises';
import { eventually } from '@gudang/testing/eventually';
import type { Fault } from '../fault.ts';
import type { Side } from '../rig/backing.ts';

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
        until: 'PostgreSQL has met a full disk',
        within: 60_000,
      });
      await disk.clear();
      // It gives up when it cannot even write its log.
      await start();
      await load.more(20);
      return after - before;
    },
  };
}

export const orderDiskFull = full('order');
export const stockDiskFull = full('stock');
