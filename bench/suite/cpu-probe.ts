import { readdir, readFile } from 'node:fs/promises';
import { treeCpuMs } from '../process-tree.ts';

/** CPU time so far in milliseconds, by group and process. */
export type CpuReading = ReadonlyMap<string, number>;

const MS_PER_TICK = 10;
/** Total of PostgreSQL's processes. */
export const POSTGRES_TOTAL = 'postgres, total';
/** Total of the services and PostgreSQL, without Kafka. */
export const SYSTEM_TOTAL = 'system, total';

/**
 * Returns a function that reads the kernel's CPU counters of the given processes with their
 * descendants, and of PostgreSQL's processes. PostgreSQL's processes form groups: one for each
 * database, one for the writers (WAL, checkpoints, background), and one for the rest.
 */
export function createCpuProbe(
  processes: Readonly<Record<string, number>>,
  postmaster?: number,
): () => Promise<CpuReading> {
  return async () => {
    const reading = new Map<string, number>();
    for (const [name, pid] of Object.entries(processes)) {
      reading.set(`${name}\n${pid}`, await treeCpuMs(pid));
    }
    for (const { what, pid, ms } of postmaster ? await readPostgres(postmaster) : []) {
      reading.set(`${what}\n${pid}`, ms);
    }
    return reading;
  };
}

/** Returns the CPU time of each group between two readings, in milliseconds. */
export function cpuSpent(before: CpuReading, after: CpuReading): Map<string, number> {
  const spent = new Map<string, number>();
  for (const [key, ms] of after) {
    const [what = ''] = key.split('\n');
    spent.set(what, (spent.get(what) ?? 0) + ms - (before.get(key) ?? 0));
  }
  return spent;
}

/** Adds the totals, if PostgreSQL is among the groups. */
export function withTotals(spent: ReadonlyMap<string, number>): Map<string, number> {
  const totalOf = (belongs: (what: string) => boolean): number =>
    [...spent].reduce((sum, [what, ms]) => sum + (belongs(what) ? ms : 0), 0);
  const isPostgres = (what: string): boolean => what.startsWith('postgres');
  const all = new Map(spent);
  if (![...spent.keys()].some(isPostgres)) return all;
  all.set(POSTGRES_TOTAL, totalOf(isPostgres));
  return all.set(
    SYSTEM_TOTAL,
    totalOf((what) => what !== 'kafka'),
  );
}

async function readPostgres(postmaster: number) {
  const found: { what: string; pid: number; ms: number }[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const [stat, title] = await Promise.all([
      readFile(`/proc/${name}/stat`, 'utf8').catch(() => ''),
      readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => ''),
    ]);
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (Number(fields[1]) !== postmaster) continue;
    const ms = (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
    found.push({ what: workOf(title), pid: Number(name), ms });
  }
  return found;
}

/** @param title for example `postgres: postgres order_db 127.0.0.1(53412) idle` */
export function workOf(title: string): string {
  const [, work = ''] = /^postgres: (.*)/.exec(title) ?? [];
  if (/^(walwriter|checkpointer|background writer)/.test(work)) return 'postgres writers';
  const [, database] = /^\S+ (\S+) \S+\(\d+\)/.exec(work) ?? [];
  return database ? `postgres ${database}` : 'postgres rest';
}
