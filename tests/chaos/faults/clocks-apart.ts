import { ORDER_CREATED, ORDER_DECIDED } from '@gudang/events';
import type { Fault } from '../fault.ts';
import { SIDES } from '../rig/backing.ts';

const APART_MS = 10 * 60_000;
/** Loaded before a process's own code: its clock is off by so much from the start. */
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

/** Neither orders nor streams may depend on the clocks of two machines being the same. */
export const clocksApart: Fault = {
  name: 'clocks-apart',
  title: 'clocks of the two services 10 minutes apart',
  run: async ({ rig, load, archive, label, breach, short }) => {
    const shifts = { order: -APART_MS / 2, stock: APART_MS / 2 };
    const preload = `--import=data:text/javascript,${encodeURIComponent(SHIFT)}`;
    const all = SIDES.flatMap((side) => rig.replicas(side).map((part) => ({ side, part })));
    await Promise.all(
      all.map(({ side, part }) =>
        part.restart({ NODE_OPTIONS: preload, CLOCK_SHIFT_MS: String(shifts[side]) }),
      ),
    );
    await Promise.all(all.map(({ part }) => part.ready()));
    await load.more(short ? 30 : 150);

    const records = await archive.catchUp();
    const offBy = (topic: string): number[] =>
      (records[topic] ?? [])
        .filter(({ value }) => value?.includes(label))
        .map(({ timestamp }) => timestamp - Date.now());
    const early = offBy(ORDER_CREATED).filter((by) => by < -APART_MS / 2 + 1_000).length;
    const late = offBy(ORDER_DECIDED).filter((by) => by > APART_MS / 3).length;
    if (early === 0 || late === 0) breach('the clocks were not apart');
    await Promise.all(
      all.map(({ part }) => part.restart({ NODE_OPTIONS: undefined, CLOCK_SHIFT_MS: undefined })),
    );
    return Math.min(early, late);
  },
};
