import { ORDER_CREATED, ORDER_DECIDED } from '@gudang/events';
import { eventually } from '@gudang/testing/eventually';
import type { Environment } from '@gudang/testing/system/service-process';
import type { Fault } from '../fault.ts';
import { SIDES, type Side } from '../rig/backing.ts';

const APART_MS = 10 * 60_000;
/** Code that shifts a process's clock. It is loaded before the process's own code. */
const SHIFT = `
const shift = Number(process.env.CLOCK_SHIFT_MS);
const Real = Date;
globalThis.Date = class Date extends Real {
  constructor(...given) {
    if (given.length === 0) super(Real.now() + shift);
    else super(...given);
  }
  static now() { return Real.now() + shift; }
};`;

/** Shifts the clocks of the two services apart. Orders and streams must still work. */
export const clocksApart: Fault = {
  name: 'clocks-apart',
  title: 'clocks of the two services 10 minutes apart',
  run: async ({ rig, load, archive, label, short }) => {
    const shifts = { order: -APART_MS / 2, stock: APART_MS / 2 };
    const preload = `--import=data:text/javascript,${encodeURIComponent(SHIFT)}`;
    // The replicas are stopped instead of killed. A killed consumer would stay in its group until its
    // session times out, and would delay the other consumers until then.
    const restartAll = (environmentOf: (side: Side) => Environment): Promise<unknown> =>
      Promise.all(
        SIDES.flatMap((side) =>
          rig.replicas(side).map(async (part) => {
            await part.stop();
            await part.restart(environmentOf(side));
            await part.ready();
          }),
        ),
      );
    await restartAll((side) => ({ NODE_OPTIONS: preload, CLOCK_SHIFT_MS: String(shifts[side]) }));
    await load.more(short ? 30 : 150);

    const recordsOffBy = async (topic: string, isSo: (by: number) => boolean): Promise<number> => {
      const records = (await archive.catchUp())[topic] ?? [];
      const ownRecords = records.filter(({ value }) => value?.includes(label));
      return ownRecords.filter(({ timestamp }) => isSo(timestamp - Date.now())).length;
    };
    // The load counts acknowledged orders, which may still be undecided. The test therefore waits for
    // the records of both orders and decisions.
    const fired = await eventually(
      async () =>
        Math.min(
          await recordsOffBy(ORDER_CREATED, (by) => by < -APART_MS / 2 + 1_000),
          await recordsOffBy(ORDER_DECIDED, (by) => by > APART_MS / 3),
        ),
      (count) => count > 0,
      { until: 'records with both clocks exist', within: 30_000, every: 250 },
    );
    await restartAll(() => ({ NODE_OPTIONS: undefined, CLOCK_SHIFT_MS: undefined }));
    return fired;
  },
};
