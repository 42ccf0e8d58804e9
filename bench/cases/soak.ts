import { setTimeout as pause } from 'node:timers/promises';
import { usageOf } from '../live/child.ts';
import type { Bench, BenchCase } from '../suite/bench-case.ts';
import type { Figure } from '../suite/figure.ts';
import { createLoader, startPaced } from '../suite/http-load.ts';
import { differentLists, inTurn, ORDER } from './queries.ts';

const MINUTES = 30;
const POLL_EVERY_MS = 10_000;
const PEAK_MS = 10_000;
const CONNECTIONS = 20;

/** Sends orders and list queries at half the maximum rate, and measures the growth of memory. */
async function runSoak({ rig: getRig, quick, print }: Bench): Promise<Figure[]> {
  const rig = await getRig();
  const list = inTurn(await differentLists(rig));
  const order = (turn: number): string => {
    const input = { productId: rig.stockIds[turn % rig.stockIds.length], quantity: 1 };
    return JSON.stringify({ query: ORDER, variables: { input } });
  };
  const both = (turn: number): string => (turn % 2 === 0 ? list(turn) : order(turn));
  const peak = createLoader({ url: rig.graphUrl, body: both, clients: CONNECTIONS });
  await peak.run(PEAK_MS);
  const { requests, seconds } = await peak.run(PEAK_MS);
  peak.close();
  const half = requests / seconds / 2;
  const minutes = quick ? 1 : MINUTES;
  print(`half the peak: ${half.toFixed(0)} requests per second for ${minutes} minutes`);

  const pids = { gateway: rig.gateway.pid, order: rig.order.pid, stock: rig.stock.pid };
  const seen = new Map<string, { hours: number; mib: number }[]>();
  const stop = startPaced({ url: rig.graphUrl, body: both }, half);
  const from = performance.now();
  const hours = (): number => (performance.now() - from) / 3_600_000;
  while (hours() * 60 < minutes) {
    await pause(POLL_EVERY_MS);
    for (const [name, pid] of Object.entries(pids)) {
      const at = { hours: hours(), mib: (await usageOf(pid)).rssKib / 1024 };
      seen.set(name, [...(seen.get(name) ?? []), at]);
    }
  }
  await stop();
  await rig.settled();
  return [...seen].flatMap(([name, all]): Figure[] => {
    // Caches fill during the first third of the run, so that third does not count.
    const late = all.slice(Math.floor(all.length / 3));
    return [
      {
        name: `memory ${name}, most`,
        unit: 'MiB',
        values: [Math.max(...all.map(({ mib }) => mib))],
      },
      { name: `memory ${name}, slope`, unit: 'MiB/h', values: [slope(late)] },
    ];
  });
}

/** Returns the slope of the regression line (least squares), in MiB per hour. */
function slope(points: readonly { readonly hours: number; readonly mib: number }[]): number {
  const mean = (of: (point: (typeof points)[number]) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [hours, mib] = [mean((point) => point.hours), mean((point) => point.mib)];
  const together = mean((point) => (point.hours - hours) * (point.mib - mib));
  return together / mean((point) => (point.hours - hours) ** 2);
}

export const soak: BenchCase = {
  name: 'soak',
  about: `lists and orders at half the peak for ${MINUTES} minutes: memory and its growth`,
  onlyByName: true,
  run: runSoak,
};
