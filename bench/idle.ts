/**
 * Measures the CPU time of each idle process of `npm start`, in percent of one core, by the
 * kernel's counters. Also prints the load of the machine, because other active processes make each
 * wake-up more expensive. Then measures the memory of the idle processes, sends lists and orders for
 * 20 s, and measures it again a minute later. No garbage collection is forced.
 * `npm run bench:idle -- 120` measures for 120 seconds instead of 60. Exits with 1 if a limit is exceeded.
 */
import { argv, exit, stdout } from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { createChecks } from '@gudang/testing/checks';
import { dataOf, graphAt } from '@gudang/testing/clients/graph-client';
import { type NpmStart, PARTS, startNpmStart } from '@gudang/testing/system/npm-start';
import { LIST, ORDER } from './cases/queries.ts';
import { usageOf } from './live/child.ts';
import { machineCpuMs, treeCpuMs } from './process-tree.ts';
import { createLoader } from './suite/http-load.ts';

/**
 * Pause after the start, in milliseconds. During the pause, kafkajs and V8 finish the work that the
 * start has caused.
 */
const SETTLE_MS = 15_000;

/** Duration and connections of the load, and the pause before memory is measured again. */
const LOAD_MS = 20_000;
const CONNECTIONS = 20;
const REST_MS = 60_000;

/** Limits of the services' memory at rest in MiB, and after the load as a multiple of that. */
const LIMITS = { gateway: 90, order: 85, stock: 85 };
const GROWTH = 1.3;

const seconds = Number(argv[2] ?? 60);
if (!(seconds >= 1 && seconds <= 3_600)) {
  stdout.write('npm run bench:idle -- [seconds, 1 to 3600]\n');
  exit(1);
}

const checks = createChecks();
const running = await startNpmStart();
try {
  stdout.write(`npm start is ready; measuring the idle system for ${seconds} s\n`);
  await pause(SETTLE_MS);
  const pids = await Promise.all(PARTS.map(async (part) => (await running.pidOf(part)) ?? 0));
  await measureCpu(pids);
  const memory = async (): Promise<number[]> =>
    Promise.all(pids.map(async (pid) => (await usageOf(pid)).rssKib / 1024));
  const atRest = await memory();
  await load(running);
  const underLoad = await memory();
  await pause(REST_MS);
  const after = await memory();
  for (const [index, part] of PARTS.entries()) {
    const figures = [atRest, underLoad, after].map((all) => (all[index] ?? Number.NaN).toFixed(0));
    const [rest, loaded, later] = figures;
    const shown = `${rest} MiB at rest, ${loaded} at the end of the load, ${later} a minute later`;
    if (part === 'kafka' || part === 'postgres') {
      checks.print(`${part}: ${shown}`);
      continue;
    }
    const limit = LIMITS[part];
    checks.verify(
      `${part}: at most ${limit} MiB at rest, and ${GROWTH} times as much a minute after a load`,
      Number(rest) <= limit && Number(later) <= Number(rest) * GROWTH,
      shown,
    );
  }
} finally {
  await running.clear();
}

async function measureCpu(pids: readonly number[]): Promise<void> {
  const read = async () => ({
    at: performance.now(),
    machine: await machineCpuMs(),
    parts: await Promise.all(pids.map(treeCpuMs)),
  });
  const before = await read();
  await pause(seconds * 1_000);
  const after = await read();
  const elapsed = after.at - before.at;
  const percent = (ms: number): string => `${((100 * ms) / elapsed).toFixed(2)}%`;
  for (const [index, part] of PARTS.entries()) {
    const spent = (after.parts[index] ?? 0) - (before.parts[index] ?? 0);
    stdout.write(`${part.padEnd(10)}${percent(spent).padStart(8)}\n`);
  }
  stdout.write(`the whole machine: ${percent(after.machine - before.machine)} of one core\n`);
}

/** Sends lists and orders in turn to the graph of the demo's data. */
async function load({ url }: NpmStart): Promise<void> {
  const graphUrl = `${url}/graphql`;
  const { stocks } = await dataOf(graphAt(graphUrl)('{ stocks(first: 50) { nodes { id } } }'));
  const ids: string[] = stocks.nodes.map(({ id }: { id: string }) => id);
  const loader = createLoader({
    url: graphUrl,
    clients: CONNECTIONS,
    body: (turn) => {
      if (turn % 2 === 0) return JSON.stringify({ query: LIST });
      const input = { productId: ids[turn % ids.length], quantity: 1 };
      return JSON.stringify({ query: ORDER, variables: { input } });
    },
  });
  const { requests, seconds: took } = await loader.run(LOAD_MS);
  loader.close();
  stdout.write(`${requests} requests in ${took.toFixed(0)} s\n`);
}
