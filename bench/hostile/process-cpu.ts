import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';

/**
 * Returns the CPU time of all threads of a process so far, in milliseconds. The kernel counts it in
 * nanoseconds here, and only in units of 10 ms in `/proc/<pid>/stat`. Ended threads do not count.
 */
export async function cpuMsOf(pid: number): Promise<number> {
  return (await schedulingOf(pid)).cpuMs;
}

/** Times of all threads of a process so far, in milliseconds. Ended threads do not count. */
export interface Scheduling {
  readonly cpuMs: number;
  /** Time for which threads could run, but waited for a core. */
  readonly waitMs: number;
}

export async function schedulingOf(pid: number): Promise<Scheduling> {
  const threads = await readdir(`/proc/${pid}/task`);
  const times = threads.map(async (thread) => {
    const text = await readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').catch(() => '0 0');
    const [cpu = 0, wait = 0] = text.split(' ').map(Number);
    return { cpuMs: cpu / 1e6, waitMs: wait / 1e6 };
  });
  return (await Promise.all(times)).reduce(
    (sum, { cpuMs, waitMs }) => ({ cpuMs: sum.cpuMs + cpuMs, waitMs: sum.waitMs + waitMs }),
    { cpuMs: 0, waitMs: 0 },
  );
}

/** Returns the CPU time of the main threads of processes so far, in milliseconds. Takes 20 µs for each. */
export function mainThreadsMs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const [cpu] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ');
    return sum + Number(cpu) / 1e6;
  }, 0);
}

/** Returns the resident memory of a process, in bytes. */
export async function rssOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) * 1024;
}
