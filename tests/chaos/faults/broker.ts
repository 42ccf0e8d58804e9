import { setTimeout as pause } from 'node:timers/promises';
import { startReadinessMonitor } from '@gudang/testing/system/readiness-monitor';
import type { ServiceProcess } from '@gudang/testing/system/service-process';
import type { Fault, FaultContext } from '../fault.ts';
import { sendGraphRequest, TIMED_OUT, TIMEOUT_MS } from '../load/graph-request.ts';
import { SIDES } from '../rig/backing.ts';

const P99_LIMIT_MS = 100;
/** Maximum p99 on a loaded machine, as a multiple of the p99 of queries that run at the same time. */
const P99_LIMIT_QUERIES = 3;

/** Shuts the broker down. The order processes must stay ready and must accept orders quickly. */
async function downFor(context: FaultContext, seconds: number): Promise<number> {
  const { rig, load, customer, note, breach, short } = context;
  await rig.kafka.stop();
  const earlier = new Map(customer.failures);
  const before = load.acknowledged.length;
  const readiness = startReadinessMonitor(rig.orders);
  const queries = timeQueries(rig.orders);
  await pause(seconds * 1_000);
  const unready = await readiness.stop();
  const queryP99 = percentile(await queries.stop(), 0.99);
  const taken = load.acknowledged.slice(before);
  if (unready > 0)
    breach(`/readyz of the order service was not 200 in ${unready} probes without Kafka`);
  const limit = Math.max(P99_LIMIT_MS, P99_LIMIT_QUERIES * queryP99);
  const failed = failuresSince(earlier, customer.failures, limit);
  if (failed.length > 0) breach(`requests failed without Kafka: ${failed.join(', ')}`);
  const p99 = percentile(
    taken.map(({ answeredIn }) => answeredIn),
    0.99,
  );
  const measured = `createOrder took ${p99.toFixed(0)} ms (p99) without Kafka, a query ${queryP99.toFixed(0)} ms at the same time`;
  note(measured);
  // A short run has too few orders for a meaningful p99.
  if (!short && p99 > limit) breach(measured);
  await rig.kafka.start();
  return taken.length > 0 ? 1 : 0;
}

/**
 * Returns the failures by code, for example `UNAVAILABLE 2`. BAD_USER_INPUT is none, because the service
 * must reject an adjustment to a quantity below 0. Nor is a time-out, if the machine is so loaded that
 * an answer may take as long.
 */
function failuresSince(
  earlier: ReadonlyMap<string, number>,
  failures: ReadonlyMap<string, number>,
  latencyLimit: number,
): string[] {
  return [...failures].flatMap(([why, count]) => {
    const more = count - (earlier.get(why) ?? 0);
    const isAllowed = why === 'BAD_USER_INPUT' || (why === TIMED_OUT && latencyLimit >= TIMEOUT_MS);
    return more > 0 && !isAllowed ? [`${why} ${more}`] : [];
  });
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

export const brokerDown: Fault = {
  name: 'broker-down',
  title: 'broker down',
  short: true,
  run: (context) => downFor(context, context.short ? 2 : 10),
};

export const brokerDownForAMinute: Fault = {
  name: 'broker-down-minute',
  title: 'broker down for 60 s',
  run: (context) => downFor(context, 60),
};

const EVERY_MS = 50;
const QUERY = '{ orders(first: 1) { nodes { id } } }';

/**
 * Measures the latency of queries until `stop` is called. Queries do not need Kafka, so their latency
 * shows how loaded the machine is.
 */
export function timeQueries(parts: readonly ServiceProcess[]) {
  const times: number[] = [];
  const stopping = new AbortController();
  const timing = parts.map(async ({ url }) => {
    while (!stopping.signal.aborted) {
      const began = performance.now();
      await sendGraphRequest(url, QUERY, {});
      times.push(performance.now() - began);
      await pause(EVERY_MS, undefined, { signal: stopping.signal }).catch(() => {});
    }
  });
  return {
    /** @returns latencies in milliseconds */
    stop: async (): Promise<readonly number[]> => {
      stopping.abort();
      await Promise.all(timing);
      return times;
    },
  };
}

/** Restarts the services while the broker is down. They must accept orders immediately. */
export const brokerDownAtStart: Fault = {
  name: 'broker-down-at-start',
  title: 'broker down while the services start',
  run: async ({ rig, load, short }) => {
    await rig.kafka.stop();
    const parts = [...rig.orders, ...rig.stocks];
    for (const part of parts) part.kill('SIGKILL');
    await Promise.all(parts.map((part) => part.exited));
    await Promise.all(parts.map((part) => part.restart()));
    await Promise.all(parts.map((part) => part.ready()));
    await load.more(short ? 20 : 200);
    await rig.kafka.start();
    return parts.length;
  },
};

export const brokerKilled: Fault = {
  name: 'broker-killed',
  title: 'broker killed with SIGKILL and restarted with its data',
  run: async ({ rig, load, short }) => {
    const times = short ? 1 : 2;
    for (let left = times; left > 0; left -= 1) {
      await rig.kafka.kill();
      await load.more(30);
      await rig.kafka.start();
      await load.more(30);
    }
    return times;
  },
};

/** The broker's connections stay open but transmit nothing, as if a network cable were unplugged. */
export const brokerSilent: Fault = {
  name: 'broker-silent',
  title: 'connections to the broker open and silent for 12 s',
  run: async ({ rig, load }) => {
    const proxies = SIDES.map((side) => rig.kafka.proxies[side]);
    const stalled = (): number => proxies.reduce((sum, { counts }) => sum + counts.stalled, 0);
    const before = stalled();
    for (const proxy of proxies) proxy.stall();
    await Promise.all([pause(12_000), load.more(50)]);
    for (const proxy of proxies) await proxy.restore();
    return stalled() - before;
  },
};
