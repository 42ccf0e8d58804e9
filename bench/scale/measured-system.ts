import { setTimeout as pause } from 'node:timers/promises';
import { startTestServers } from '@gudang/embedded/testing';
import { addStocks } from '@gudang/testing/system/bench-system';
import {
  type ReplicatedSystem,
  startReplicatedSystem,
} from '@gudang/testing/system/replicated-system';
import { treeCpuMs } from '../process-tree.ts';

/** Groups of processes with separate CPU times; the replicas of a service form one group. */
export const PARTS = ['gateway', 'order', 'stock', 'postgres', 'kafka'] as const;
export type Spent = Readonly<Record<(typeof PARTS)[number], number>>;

/** A system that can measure the CPU time of its processes and servers. */
export interface MeasuredSystem extends ReplicatedSystem {
  readonly stockIds: readonly string[];
  /**
   * Measures the CPU time of `work`.
   * @returns its result, its duration, and the CPU time of each part minus the CPU time of the idle
   *   system during the same duration; times are in milliseconds
   */
  readonly measure: <T>(work: () => Promise<T>) => Promise<Measured<T>>;
  /** Bytes of write-ahead log that PostgreSQL has written so far. */
  readonly walBytes: () => Promise<number>;
}

export interface Measured<T> {
  readonly result: T;
  readonly ms: number;
  readonly cpu: Spent;
}

/** PostgreSQL settings that make commits durable, as in production. */
const ON_DISK = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' };
const STOCKS = 200;
const SETTLES_MS = 2_000;
const IDLE_MS = 8_000;

/** Starts a system, runs the callback, and removes the system. */
export async function withMeasuredSystem(
  replicas: number,
  use: (measured: MeasuredSystem) => Promise<void>,
): Promise<void> {
  const servers = await startTestServers({ settings: ON_DISK });
  try {
    const replicated = await startReplicatedSystem(replicas, {
      ...servers,
      // Load shedding is off, so that an overload changes the figures instead of causing errors.
      environment: { gateway: { SHED_DELAY_MS: '0' } },
    });
    const { system, running } = replicated;
    const pidsOf = (part: (typeof PARTS)[number]): readonly number[] =>
      part === 'postgres' || part === 'kafka'
        ? [servers.pids[part]]
        : running(part).map(({ pid }) => pid);
    const spent = async (): Promise<Spent> => {
      const sums = PARTS.map(async (part) => {
        const each = await Promise.all(pidsOf(part).map(treeCpuMs));
        return [part, each.reduce((sum, one) => sum + one, 0)] as const;
      });
      return Object.fromEntries(await Promise.all(sums)) as Spent;
    };
    let idle = Object.fromEntries(PARTS.map((part) => [part, 0])) as Spent;
    const measure = async <T>(work: () => Promise<T>): Promise<Measured<T>> => {
      const before = await spent();
      const from = performance.now();
      const result = await work();
      const ms = performance.now() - from;
      const after = await spent();
      const cpu = PARTS.map(
        (part) => [part, after[part] - before[part] - idle[part] * ms] as const,
      );
      return { result, ms, cpu: Object.fromEntries(cpu) as Spent };
    };
    const walBytes = async (): Promise<number> => {
      const [row] = await system.databases.order(
        `SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 AS bytes`,
      );
      return Number(row?.['bytes']);
    };
    try {
      const stockIds = await addStocks(system, STOCKS);
      await pause(SETTLES_MS);
      const resting = await measure(() => pause(IDLE_MS));
      idle = Object.fromEntries(
        PARTS.map((part) => [part, resting.cpu[part] / resting.ms]),
      ) as Spent;
      await use({ ...replicated, stockIds, measure, walBytes });
    } finally {
      await replicated.stop();
    }
  } finally {
    await servers.stop();
  }
}
