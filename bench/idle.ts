/**
 * Measures the CPU time of each idle process of `npm start`, in percent of one core, by the
 * kernel's counters. Also prints the load of the machine, because other active processes make each
 * wake-up more expensive. `npm run bench:idle -- 120` measures for 120 seconds instead of 60.
 */
import { argv, exit, stdout } from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { PARTS, startNpmStart } from '@gudang/testing/system/npm-start';
import { usageOf } from './live/child.ts';
import { machineCpuMs, treeCpuMs } from './process-tree.ts';

/**
 * Pause after the start, in milliseconds. During the pause, kafkajs and V8 finish the work that the
 * start has caused.
 */
const SETTLE_MS = 15_000;

const seconds = Number(argv[2] ?? 60);
if (!(seconds >= 1 && seconds <= 3_600)) {
  stdout.write('npm run bench:idle -- [seconds, 1 to 3600]\n');
  exit(1);
}

const running = await startNpmStart();
try {
  stdout.write(`npm start is ready; measuring the idle system for ${seconds} s\n`);
  await pause(SETTLE_MS);
  const pids = await Promise.all(PARTS.map(async (part) => (await running.pidOf(part)) ?? 0));
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
  stdout.write(`${''.padEnd(10)}${'CPU'.padStart(8)}${'RSS MiB'.padStart(10)}\n`);
  for (const [index, part] of PARTS.entries()) {
    const spent = (after.parts[index] ?? 0) - (before.parts[index] ?? 0);
    const { rssKib } = await usageOf(pids[index] ?? 0);
    const rss = (rssKib / 1024).toFixed(0);
    stdout.write(`${part.padEnd(10)}${percent(spent).padStart(8)}${rss.padStart(10)}\n`);
  }
  stdout.write(`the whole machine: ${percent(after.machine - before.machine)} of one core\n`);
} finally {
  await running.clear();
}
