import { quantile } from '@gudang/testing/checks';
import { usageOf } from '../live/child.ts';
import type { Rounds } from './bench-case.ts';
import { type CpuReading, cpuSpent, withTotals } from './cpu-probe.ts';
import type { Bar, Figure, Unit } from './figure.ts';
import { createLoader, type Load, type Loader } from './http-load.ts';

/** Number of requests after which a process is warm. */
const WARM_AFTER = 1_000;
const MAX_WARM_UPS = 5;

export interface Measured {
  /** Prefix of the names of this load's figures; may be empty. */
  readonly label: string;
  readonly load: Load;
  readonly readCpu: () => Promise<CpuReading>;
  /**
   * Called after each round, before the CPU time is read. Resolves once the remaining work of the
   * requests is done.
   */
  readonly drain?: () => Promise<void>;
  /** Limits of figures, by name without the label. */
  readonly bars?: Readonly<Record<string, Bar>>;
  /** Groups and totals whose CPU time is shown; default: all. */
  readonly only?: readonly string[];
  /** Counters that are shown per request, for example subgraph requests. */
  readonly counts?: Readonly<Record<string, () => Promise<number>>>;
  /** Processes whose memory under load is shown: name to process id. */
  readonly memory?: Readonly<Record<string, number>>;
}

/**
 * Measures loads in turns, so that other load on the machine affects all of them. Each round
 * measures the CPU time of each process per request, the rate, p50 and p99.
 */
export async function measureLoads(
  measured: readonly Measured[],
  { count, ms, warmUpMs }: Rounds,
): Promise<Figure[]> {
  const figures = new Map<string, { name: string; unit: Unit; values: number[]; bar?: Bar }>();
  const loaders = measured.map(({ load }) => createLoader(load));
  const round = async (index: number): Promise<void> => {
    const {
      label,
      readCpu,
      drain,
      bars = {},
      only,
      counts = {},
      memory = {},
    } = measured[index] as Measured;
    const note = (name: string, unit: Unit, value: number): void => {
      const full = label === '' ? name : `${label}: ${name}`;
      const bar = bars[name];
      const figure = figures.get(full) ?? { name: full, unit, values: [], ...(bar ? { bar } : {}) };
      figures.set(full, figure);
      figure.values.push(value);
    };
    const countAll = () => Promise.all(Object.values(counts).map((read) => read()));
    const [cpuBefore, countsBefore] = [await readCpu(), await countAll()];
    const result = await loaders[index]?.run(ms);
    if (!result) return;
    await drain?.();
    const [cpuAfter, countsAfter] = [await readCpu(), await countAll()];
    const spent = withTotals(cpuSpent(cpuBefore, cpuAfter));
    for (const [what, cpuMs] of spent) {
      if (only && !only.includes(what)) continue;
      note(`CPU ${what}`, 'µs', (1_000 * cpuMs) / result.requests);
    }
    Object.keys(counts).forEach((name, at) => {
      note(name, 'requests', ((countsAfter[at] ?? 0) - (countsBefore[at] ?? 0)) / result.requests);
    });
    note('rate', '/s', result.requests / result.seconds);
    note('p50', 'ms', quantile(result.latencies, 0.5));
    note('p99', 'ms', quantile(result.latencies, 0.99));
    for (const [name, pid] of Object.entries(memory)) {
      note(`memory ${name}`, 'MiB', (await usageOf(pid)).rssKib / 1024);
    }
  };
  try {
    for (const [index, loader] of loaders.entries()) {
      await warmUp(loader, warmUpMs);
      await measured[index]?.drain?.();
    }
    for (let turn = 0; turn < count; turn += 1) {
      for (const index of measured.keys()) await round(index);
    }
  } finally {
    for (const loader of loaders) loader.close();
  }
  return [...figures.values()];
}

/** On a busy machine, one warm-up may be too short for the compilers of the processes. */
async function warmUp(loader: Loader, ms: number): Promise<void> {
  let requests = 0;
  for (let turn = 0; turn < MAX_WARM_UPS && requests < WARM_AFTER; turn += 1) {
    requests += (await loader.run(ms)).requests;
  }
}

/** Returns the ratio of two figures per round. */
export function ratio(name: string, of: Figure, to: Figure, bar?: Bar): Figure {
  const values = of.values.map((value, index) => value / (to.values[index] ?? Number.NaN));
  return { name, unit: '×', values, bar };
}
