import { eventually } from '@gudang/testing/eventually';
import { createRandom, seedOf } from '@gudang/testing/random';
import type { TopicArchive } from '@gudang/testing/topic-archive';
import { createTopicArchive } from '@gudang/testing/topic-archive';
import { check } from './checker.ts';
import type { Fault } from './fault.ts';
import type { Acknowledged, History, Observations } from './history.ts';
import { liveStreams, orderStreams } from './invariants/live-streams.ts';
import { createCustomer } from './load/customer.ts';
import { startLoad } from './load/load.ts';
import { createProducts } from './load/products.ts';
import { createWatchers } from './load/watchers.ts';
import { type OrderSummary, summarizeOrders } from './order-summary.ts';
import { readHistory } from './read-history.ts';
import type { Rig } from './rig/rig.ts';
import { startRig } from './rig/rig.ts';
import { settle } from './settle.ts';

/** A running system and all observations since its start. Several faults may share a session. */
export interface Session {
  readonly rig: Rig;
  readonly archive: TopicArchive;
  readonly observed: {
    readonly [K in Exclude<
      keyof Observations,
      'watchers' | 'orderWatchers'
    >]: Observations[K][number][];
  };
  /** Breaches that have been reported, so that each one is reported only once. */
  readonly reported: Set<string>;
}

/** Starts a system for a sequence of faults. */
export async function startSession(): Promise<Session & { readonly stop: () => Promise<void> }> {
  const rig = await startRig();
  return {
    rig,
    archive: createTopicArchive(rig),
    observed: { acknowledged: [], added: [], adjusted: [], cancelled: [], foreign: [] },
    reported: new Set(),
    stop: rig.stop,
  };
}

export interface FaultResult extends OrderSummary {
  readonly fault: Fault;
  readonly skipped?: string;
  readonly fired: number;
  /** Time from the end of the fault until all orders and events were processed, in seconds. */
  readonly settledIn: number;
  /** Duration of the fault and its checks, in seconds. */
  readonly took: number;
  readonly breaches: readonly string[];
  /** Measurements that the fault reported. */
  readonly notes: readonly string[];
  /** Number of failed requests by error code. */
  readonly failures: ReadonlyMap<string, number>;
  /** Processes that had to be restarted after the fault. */
  readonly restarted: readonly string[];
}

const WARM_UP_ORDERS = 20;
/** Half of the usual load: the short faults run beside other tests. */
const SHORT_ORDERS_PER_SECOND = 20;
const ORDERS_AFTERWARDS = 10;
const LIVE_WITHIN_MS = 20_000;

export async function runFault(
  { rig, archive, observed, reported }: Session,
  fault: Fault,
  { seed, short, label }: { seed: number; short: boolean; label: string },
): Promise<FaultResult> {
  const began = performance.now();
  const random = createRandom(seedOf(seed, fault.name));
  const breaches: string[] = [];
  const breach = (what: string): void => void breaches.push(what);
  const notes: string[] = [];
  const note = (what: string): void => void notes.push(what);
  const products = createProducts(random, label);
  const customer = createCustomer({ orders: () => rig.orders, stocks: () => rig.stocks });
  const watchers = createWatchers(rig, products, label);
  await Promise.all([
    watchers.watch('through the gateway', () => rig.gateway.url),
    watchers.watch('at a stock replica', () => rig.stocks.at(-1)?.url ?? ''),
  ]);
  const addStock = async (id: string, quantity: number): Promise<void> => {
    await customer.addStock(id, quantity);
    observed.added.push({ stockId: id, quantity });
  };
  for (const { id, quantity } of products) await addStock(id, quantity);
  const load = startLoad({
    customer,
    random,
    products,
    label,
    ...(short ? { ordersPerSecond: SHORT_ORDERS_PER_SECOND } : {}),
    onOrder: watchers.sampleOrder,
  });
  const ordersOfFault: Acknowledged[] = [];
  const foreign: { id: string; productId: string }[] = [];
  let fired = 0;
  let restarted: string[] = [];
  let settledIn = Number.NaN;
  try {
    await load.more(WARM_UP_ORDERS);
    const environment = { rig, archive, load, customer, random, label, short };
    const reporting = { watch: watchers.watch, addStock, foreign, note, breach };
    const acknowledged = (order: Acknowledged): void => void ordersOfFault.push(order);
    fired = await fault.run({ ...environment, ...reporting, acknowledged });
  } catch (error) {
    breach(`injecting the fault failed: ${describe(error)}`);
  }
  const repairStarted = performance.now();
  try {
    restarted = await rig.restore();
    await load.more(ORDERS_AFTERWARDS);
  } catch (error) {
    breach(`the system did not recover: ${describe(error)}`);
  }
  await load.stop();
  const acknowledged = [...load.acknowledged, ...ordersOfFault];
  observed.acknowledged.push(...acknowledged);
  observed.adjusted.push(...load.adjusted);
  observed.cancelled.push(...load.cancelled);
  observed.foreign.push(...foreign);
  try {
    await settle(rig);
    settledIn = (performance.now() - repairStarted) / 1_000;
  } catch (error) {
    breach(`the system did not settle: ${describe(error)}`);
  }
  const read = async (): Promise<History> =>
    readHistory(rig.databases, await archive.catchUp(), { ...observed, ...watchers.observed() });
  const stored = await read();
  await eventually(
    () => {
      const seen = { ...stored, observed: { ...observed, ...watchers.observed() } };
      return [...liveStreams(seen), ...orderStreams(seen)];
    },
    (found) => found.length === 0,
    { until: 'live streams have sent the last states', within: LIVE_WITHIN_MS },
  ).catch(() => {});
  const history = { ...stored, observed: { ...observed, ...watchers.observed() } };
  await watchers.close();

  const internal = customer.failures.get('INTERNAL_SERVER_ERROR') ?? 0;
  if (internal > 0) breach(`${internal} requests failed with INTERNAL_SERVER_ERROR`);
  for (const { guarantee, what } of check(history)) breach(`guarantee ${guarantee}: ${what}`);
  const newBreaches = breaches.filter((what) => !reported.has(what));
  for (const what of breaches) reported.add(what);
  return {
    fault,
    fired,
    settledIn,
    took: (performance.now() - began) / 1_000,
    restarted,
    breaches: newBreaches,
    notes,
    failures: customer.failures,
    ...summarizeOrders(history, acknowledged),
  };
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
