import { setTimeout as pause } from 'node:timers/promises';
import { signToken } from '@gudang/auth/testing';
import { type Checks, quantile } from '@gudang/testing/checks';
import { dataOf } from '@gudang/testing/clients/graph-client';
import { floodOrders } from '@gudang/testing/clients/order-load';
import { mebibytes } from '@gudang/testing/process-inspector';
import type { System } from '@gudang/testing/system/system';
import { type OrdinaryClients, startOrdinaryClients } from '../flood/ordinary-clients.ts';
import { startChild } from '../live/child.ts';
import { ATTACKS, type AttackName } from './attacks.ts';
import { mainThreadsMs, rssOf, type Scheduling, schedulingOf } from './process-cpu.ts';

const ATTACKERS = 16;
const RSS_LIMIT = 768 * 1024 * 1024;
/** Maximum ratio of the other clients' p99 latency during an attack to that before it. */
const P99_RATIO = 3;
const BEFORE_S = 15;
const SAMPLE_EVERY_MS = 250;
/** Number of changes after the old cursor, and changes per second during an attack. */
const OLD_CHANGES = 3_000;
const CHANGES_PER_SECOND = 5;

interface AttackOptions {
  readonly seconds: number;
  /** Runs only the attacks whose names contain this text. */
  readonly only: string;
  readonly ids: readonly string[];
  /** Whether a bare process sends the attackers as many bytes afterwards, as a lower bound. */
  readonly floor: boolean;
}

/** Runs each attack by sixteen attackers, and verifies the gateway's memory and other clients' p99. */
export async function measureAttacks(
  checks: Checks,
  system: System,
  { seconds, only, ids, floor }: AttackOptions,
): Promise<void> {
  const token = await signToken({ sub: 'Mallory', scope: 'stock:write' }, { expiresIn: 3_600 });
  const authorization = `Bearer ${token}`;
  const { stockCursor: oldCursor } = await dataOf(system.graph('{ stockCursor }'));
  await floodOrders(system, { ids, count: OLD_CHANGES, ordersPerSecond: 1_000 });
  const names = Object.keys(ATTACKS).filter((name) => name.includes(only)) as AttackName[];
  for (const name of names) {
    await system.gateway.restart();
    await system.gateway.ready();
    const ordinary = startClients(system);
    await pause(3_000);
    const before = await observe(system, ordinary, BEFORE_S);
    const child = await startChild('../hostile/attacker.ts');
    const { port } = system.gateway;
    await child.ask({ begin: name, attackers: ATTACKERS, port, authorization, oldCursor, ids });
    const orders = {
      ids,
      count: seconds * CHANGES_PER_SECOND,
      ordersPerSecond: CHANGES_PER_SECOND,
    };
    const pids = {
      gateway: system.gateway.pid,
      stock: system.stock.pid,
      attackers: child.pid,
      clients: process.pid,
    };
    const cpuBefore = await cpuOf(pids);
    const [during] = await Promise.all([
      observe(system, ordinary, seconds),
      floodOrders(system, orders),
    ]);
    const cpu = await cpuOf(pids);
    const counts = await child.ask<Record<string, number>>({});
    await child.stop();
    ordinary.stop();
    const received = (counts['KiB received'] ?? 0) / seconds;
    const least = floor
      ? await measureFloor(system, { name, seconds, ids, kibPerSecond: received })
      : undefined;
    checks.print(`${name}: attackers ${JSON.stringify(counts)}`);
    const cores = Object.entries(cpu).map(([part, { cpuMs, waitMs }]) => {
      const since = cpuBefore[part] ?? NOTHING;
      const used = (cpuMs - since.cpuMs) / seconds / 1_000;
      const waited = (waitMs - since.waitMs) / seconds / 1_000;
      return `${part} ${used.toFixed(2)} (+ ${waited.toFixed(2)})`;
    });
    checks.print(`  CPU cores used (and waited for): ${cores.join(', ')}`);
    checks.print(`  RSS every tenth of the time: ${during.rss.map(mebibytes).join(', ')}`);
    const p99s = during.p99s.map((ms) => ms.toFixed(0)).join(', ');
    checks.print(`  p99 every tenth of the time: ${p99s} ms`);
    checks.print(`  before: ${shown(before)}; during: ${shown(during)}`);
    checks.print(
      `  CPU time of gateway and stock while a request was in flight: p99 before ${before.cpuP99.toFixed(1)} ms, during ${during.cpuP99.toFixed(1)} ms`,
    );
    if (least) {
      checks.print(
        `  a bare process sends the attackers ${received.toFixed(0)} KiB per second: ${shown(least)}`,
      );
    }
    checks.verify(`${name}: the gateway runs`, system.gateway.running(), 'process');
    const most = Math.max(...during.rss);
    checks.verify(`${name}: RSS ≤ ${mebibytes(RSS_LIMIT)}`, most <= RSS_LIMIT, mebibytes(most));
    checks.verify(
      `${name}: other clients' p99 below ${P99_RATIO} × its value before`,
      during.p99 < P99_RATIO * before.p99,
      `${during.p99.toFixed(1)} ms, before ${before.p99.toFixed(1)} ms`,
    );
    checks.verify(
      `${name}: no request of other clients fails`,
      during.failed === 0,
      `${during.failed} of ${during.answers}`,
    );
  }
}

/** Observes the other clients while a bare process sends the attackers bytes, and the gateway nothing. */
async function measureFloor(
  system: System,
  load: Pick<AttackOptions, 'seconds' | 'ids'> & {
    readonly name: AttackName;
    readonly kibPerSecond: number;
  },
): Promise<Observed> {
  const { name, seconds, ids, kibPerSecond } = load;
  await system.gateway.restart();
  await system.gateway.ready();
  const ordinary = startClients(system);
  const sender = await startChild('../hostile/bare-sender.ts');
  const { port } = await sender.ask<{ port: number }>({ kibPerSecond });
  const readers = await startChild('../hostile/attacker.ts');
  await readers.ask({ begin: name, isBare: true, attackers: ATTACKERS, port });
  const orders = { ids, count: seconds * CHANGES_PER_SECOND, ordersPerSecond: CHANGES_PER_SECOND };
  const [observed] = await Promise.all([
    observe(system, ordinary, seconds),
    floodOrders(system, orders),
  ]);
  ordinary.stop();
  await readers.stop();
  await sender.stop();
  return observed;
}

/** Starts the other clients of the running gateway, which record the CPU time of gateway and stock. */
function startClients({ gateway, stock }: System): OrdinaryClients {
  const servers = [gateway.pid, stock.pid];
  return startOrdinaryClients(`${gateway.url}/graphql`, () => mainThreadsMs(servers));
}

const NOTHING: Scheduling = { cpuMs: 0, waitMs: 0 };

/** Returns the CPU times of processes so far; 0 for a process that has ended. */
async function cpuOf(pids: Readonly<Record<string, number>>): Promise<Record<string, Scheduling>> {
  const all = Object.entries(pids).map(
    async ([part, pid]): Promise<[string, Scheduling]> => [
      part,
      await schedulingOf(pid).catch(() => NOTHING),
    ],
  );
  return Object.fromEntries(await Promise.all(all));
}

interface Observed {
  /** Resident memory of the gateway: the maximum of each tenth of the time, in bytes. */
  readonly rss: readonly number[];
  /** p99 of each tenth of the requests, in milliseconds. */
  readonly p99s: readonly number[];
  readonly p50: number;
  readonly p99: number;
  /**
   * p99 of the CPU time that the gateway and the stock subgraph used while a request was in flight, in
   * milliseconds: an upper estimate of its latency on a machine without other load.
   */
  readonly cpuP99: number;
  readonly failed: number;
  readonly answers: number;
}

function tenthsOf<T>(values: readonly T[]): readonly (readonly T[])[] {
  const size = Math.ceil(values.length / 10);
  return Array.from({ length: 10 }, (_, index) =>
    values.slice(index * size, (index + 1) * size),
  ).filter((part) => part.length > 0);
}

async function observe(
  { gateway }: System,
  ordinary: OrdinaryClients,
  seconds: number,
): Promise<Observed> {
  ordinary.forget();
  const samples: number[] = [];
  const until = performance.now() + seconds * 1_000;
  while (performance.now() < until) {
    samples.push(gateway.running() ? await rssOf(gateway.pid).catch(() => 0) : 0);
    await pause(SAMPLE_EVERY_MS);
  }
  const { latencies, cpuTimes, failed } = ordinary.results();
  return {
    rss: tenthsOf(samples).map((part) => Math.max(...part)),
    p99s: tenthsOf(latencies).map((part) => quantile(part, 0.99)),
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    cpuP99: quantile(cpuTimes, 0.99),
    failed,
    answers: latencies.length + failed,
  };
}

function shown({ p50, p99, failed, answers }: Observed): string {
  return `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, ${answers} answers, ${failed} failed`;
}
