import { setTimeout as pause } from 'node:timers/promises';
import { startReadinessMonitor } from '@gudang/testing/system/readiness-monitor';
import type { Fault, FaultContext } from '../fault.ts';
import { timeQueries } from './time-queries.ts';

const P99_LIMIT_MS = 100;
/** On a machine that is busy with other things: how much slower than a query at the same time. */
const P99_LIMIT_QUERIES = 3;

/** Stopped in order; orders are taken all the same, quickly, by processes that call themselves ready. */
async function downFor(context: FaultContext, seconds: number): Promise<number> {
  const { rig, load, customer, note, breach, short } = context;
  await rig.kafka.stop();
  const refusals = refusalsOf(customer.failures);
  const before = load.acknowledged.length;
  const readiness = startReadinessMonitor(rig.orders);
  const queries = timeQueries(rig.orders);
  await pause(seconds * 1_000);
  const unready = await readiness.stop();
  const queryP99 = percentile(await queries.stop(), 0.99);
  const taken = load.acknowledged.slice(before);
  if (unready > 0) breach(`/readyz of an order service was not 200 ${unready} times without Kafka`);
  const refused = refusalsOf(customer.failures) - refusals;
  if (refused > 0) breach(`${refused} requests failed without Kafka`);
  const p99 = percentile(
    taken.map(({ answeredIn }) => answeredIn),
    0.99,
  );
  const measured = `createOrder took ${p99.toFixed(0)} ms (p99) without Kafka, a query ${queryP99.toFixed(0)} ms at the same time`;
  note(measured);
  // A short run has too few orders for a percentile.
  if (!short && p99 > Math.max(P99_LIMIT_MS, P99_LIMIT_QUERIES * queryP99)) breach(measured);
  await rig.kafka.start();
  return taken.length > 0 ? 1 : 0;
}

function refusalsOf(failures: ReadonlyMap<string, number>): number {
  let sum = 0;
  // An adjustment below zero is refused as it should be.
  for (const [why, count] of failures) if (why !== 'BAD_USER_INPUT') sum += count;
  return sum;
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
