import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { PARTS, startNpmStart } from '@gudang/testing/system/npm-start';
import { usageOf } from '../live/child.ts';
import type { Bench, BenchCase } from '../suite/bench-case.ts';
import type { Bar, Figure, Unit } from '../suite/figure.ts';

/**
 * Pause before memory is measured, in milliseconds. Node and Kafka still collect garbage for a
 * while after the start.
 */
const REST_MS = 20_000;
const REST_QUICK_MS = 5_000;

const BARS: Readonly<Record<string, Bar>> = {
  'memory gateway': { atMost: 150 },
  'memory order': { atMost: 130 },
  'memory stock': { atMost: 130 },
  'memory all': { atMost: 1_024 },
  'npm start, the second time': { atMost: 8 },
};

/**
 * Runs `npm start` twice with the same folder. Measures the time until the system is ready, and the
 * memory of the idle system.
 */
async function runStart({ quick }: Bench): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'gudang-bench-'));
  const figures = new Map<string, Figure & { values: number[] }>();
  const note = (name: string, unit: Unit, value: number): void => {
    const figure = figures.get(name) ?? { name, unit, values: [], bar: BARS[name] };
    figures.set(name, figure);
    figure.values.push(value);
  };
  try {
    for (let start = 1; start <= (quick ? 2 : 4); start += 1) {
      const from = performance.now();
      const running = await startNpmStart({ GUDANG_DIR: folder });
      try {
        const seconds = (performance.now() - from) / 1_000;
        const name = start === 1 ? 'npm start, the first time' : 'npm start, the second time';
        note(name, 's', seconds);
        if (start > 1) {
          await pause(quick ? REST_QUICK_MS : REST_MS);
          let all = 0;
          for (const part of PARTS) {
            const pid = await running.pidOf(part);
            if (pid === undefined) continue;
            const rss = part === 'postgres' ? await treeMemory(pid) : await memoryOf(pid);
            note(`memory ${part}`, 'MiB', rss);
            all += rss;
          }
          note('memory all', 'MiB', all);
        }
        running.kill('SIGTERM');
        await running.exited;
      } catch (error) {
        await running.clear();
        throw error;
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
  return [...figures.values()];
}

async function memoryOf(pid: number): Promise<number> {
  return (await usageOf(pid)).rssKib / 1024;
}

/**
 * Returns the memory of a process and its descendants in MiB. Shared memory, such as PostgreSQL's
 * buffers, is counted once (proportional set size, PSS).
 */
async function treeMemory(root: number): Promise<number> {
  const children = await readFile(`/proc/${root}/task/${root}/children`, 'utf8').catch(() => '');
  const pids = [root, ...children.trim().split(' ').filter(Boolean).map(Number)];
  const sizes = await Promise.all(
    pids.map(async (pid) => {
      const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
      return Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0);
    }),
  );
  return sizes.reduce((sum, kib) => sum + kib, 0) / 1024;
}

export const start: BenchCase = {
  name: 'start',
  about: 'time until npm start is ready, and memory of its idle processes',
  run: runStart,
};
