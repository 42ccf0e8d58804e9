import { setTimeout as pause } from 'node:timers/promises';
import { receiveJourneys } from '@gudang/embedded';
import type { Bench, BenchCase } from '../suite/bench-case.ts';
import { type BenchRig, startBenchRig } from '../suite/bench-rig.ts';
import { cpuSpent, SYSTEM_TOTAL } from '../suite/cpu-probe.ts';
import type { Figure } from '../suite/figure.ts';
import { startPaced } from '../suite/http-load.ts';
import { measureLoads, ratio } from '../suite/measure-load.ts';
import { graphLoad } from './orders.ts';

const CLIENTS = 20;
/** Orders per second at which each order is traced. */
const TRACED_RATE = 10;
/** Duration of a round in which each order is traced, as a multiple of the other rounds. */
const TRACED_ROUND = 4;
const LABELS = ['without', 'with'] as const;
/** The CPU time of everything but Kafka, whose share does not depend on journeys. */
const COUNTED = (group: string): boolean => group !== 'kafka';

type Rigs = Readonly<Record<(typeof LABELS)[number], BenchRig>>;

/**
 * Measures the CPU time of an order with and without journeys, in alternating rounds: at the highest rate, at
 * which 10 orders per second are traced, and at 10 orders per second.
 */
export const journeys: BenchCase = {
  name: 'journeys',
  about: 'orders through the graph with and without journeys, all CPU until they are settled',
  onlyByName: true,
  run: async (bench) => {
    const receiver = await receiveJourneys();
    const rigs: BenchRig[] = [];
    try {
      const settings = { JOURNEYS_URL: receiver.url, JOURNEYS_OF: 'createOrder' };
      const without = await startBenchRig();
      rigs.push(without);
      const withJourneys = await startBenchRig({ environment: settings });
      rigs.push(withJourneys);
      const both: Rigs = { without, with: withJourneys };
      return [...(await measureFast(bench, both)), ...(await measureTraced(bench, both))];
    } finally {
      for (const rig of rigs) await rig.stop();
      await receiver.stop();
    }
  },
};

async function measureFast({ rounds }: Bench, rigs: Rigs): Promise<Figure[]> {
  const figures = await measureLoads(
    LABELS.map((label) => ({
      label,
      load: graphLoad(rigs[label], CLIENTS),
      readCpu: rigs[label].readCpu,
      drain: rigs[label].settled,
    })),
    rounds,
  );
  const totals = LABELS.flatMap((label) =>
    figures.filter(({ name }) => name === `${label}: CPU ${SYSTEM_TOTAL}`),
  );
  return [...figures, compare('CPU with journeys', totals, 1.03)];
}

async function measureTraced({ rounds }: Bench, rigs: Rigs): Promise<Figure[]> {
  const values: Record<string, number[]> = { without: [], with: [] };
  for (let round = 0; round < rounds.count; round += 1) {
    for (const label of LABELS) {
      const { readCpu, settled } = rigs[label];
      let count = 0;
      const { url, body } = graphLoad(rigs[label], 1);
      const counted = (turn: number): string => {
        count += 1;
        return body(turn);
      };
      const before = await readCpu();
      const stop = startPaced({ url, body: counted }, TRACED_RATE);
      await pause(rounds.ms * TRACED_ROUND);
      await stop();
      await settled();
      const spent = [...cpuSpent(before, await readCpu())].filter(([group]) => COUNTED(group));
      values[label]?.push((1_000 * spent.reduce((sum, [, ms]) => sum + ms, 0)) / count);
    }
  }
  const totals = LABELS.map((label): Figure => {
    return {
      name: `${label}, ${TRACED_RATE}/s: CPU, total`,
      unit: 'µs',
      values: values[label] ?? [],
    };
  });
  return [...totals, compare(`CPU with journeys, ${TRACED_RATE}/s`, totals)];
}

function compare(
  name: string,
  [without, withJourneys]: readonly Figure[],
  atMost?: number,
): Figure {
  if (!without || !withJourneys) throw new Error('The figures to compare are missing');
  return ratio(name, withJourneys, without, atMost === undefined ? undefined : { atMost });
}
