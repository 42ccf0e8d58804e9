/**
 * Measures the CPU time of each process per unit of work, the rate and the latencies.
 * `npm run bench -- [case…] [--quick] [--rounds 5] [--json file] [--compare file] [--list]
 * [--beside 370c245 --beside textbook]` runs the cases whose names start with an argument; default: all except
 * the soak test and the comparisons of whole systems. Exits with 1 if a limit is exceeded.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { dirname } from 'node:path';
import { exit, stdout, version } from 'node:process';
import { parseArgs } from 'node:util';
import { cases } from './cases/index.ts';
import type { Bench, BenchCase } from './suite/bench-case.ts';
import { type BenchRig, startBenchRig } from './suite/bench-rig.ts';
import type { Figure } from './suite/figure.ts';
import { allHold, type Report, renderCase } from './suite/report.ts';
import { type Stack, startStacks } from './whole/stacks.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    json: { type: 'string' },
    compare: { type: 'string' },
    list: { type: 'boolean', default: false },
    beside: { type: 'string', multiple: true },
  },
});
const { quick } = values;
const count = Number(values.rounds ?? (quick ? 2 : 5));
const isWanted = ({ name, onlyByName }: BenchCase): boolean =>
  positionals.length === 0
    ? !onlyByName
    : positionals.some((word) => (onlyByName ? name === word : name.startsWith(word)));
const wanted = cases.filter(isWanted);

if (values.list || wanted.length === 0 || !(count >= 1 && count <= 100)) {
  const widest = Math.max(...cases.map(({ name }) => name.length));
  for (const { name, about } of cases) stdout.write(`${name.padEnd(widest + 2)}${about}\n`);
  exit(values.list ? 0 : 1);
}
const earlier: Report | undefined = values.compare
  ? JSON.parse(await readFile(values.compare, 'utf8'))
  : undefined;
const at = new Date().toISOString();
const file = values.json ?? `.gudang/bench/${at.replaceAll(':', '-')}.json`;

let starting: Promise<BenchRig> | undefined;
let startingBeside: Promise<Stack[]> | undefined;
const print = (line: string): void => void stdout.write(`${line}\n`);
const bench: Bench = {
  rounds: { count, ms: quick ? 2_000 : 5_000, warmUpMs: quick ? 4_000 : 8_000 },
  quick,
  rig: () => {
    starting ??= startBenchRig();
    return starting;
  },
  beside: async () => {
    startingBeside ??= startStacks(await bench.rig(), values.beside, print);
    return startingBeside;
  },
  print,
};
const found: Record<string, readonly Figure[]> = {};
try {
  for (const { name, about, run, render = renderCase } of wanted) {
    const figures = await run(bench);
    found[name] = figures;
    print(render(`${name}: ${about}`, figures, earlier?.cases[name]));
  }
} finally {
  for (const { stop } of (await startingBeside?.catch(() => [])) ?? []) await stop();
  await (await starting)?.stop();
}
const machine = { node: version, cores: availableParallelism(), load: loadavg()[0] ?? 0 };
const report: Report = { at, machine, rounds: count, cases: found };
await mkdir(dirname(file), { recursive: true });
await writeFile(file, `${JSON.stringify(report, null, 2)}\n`);
print(`medians, lowest – highest of ${count} rounds; written to ${file}`);
exit(allHold(report) ? 0 : 1);
