import { eventually } from '@gudang/testing/eventually';
import { createRandom, seedOf } from '@gudang/testing/random';
import type { TopicArchive } from '@gudang/testing/topic-archive';
import { check } from './checker.ts';
import type { Fault } from './fault.ts';
import type { Acknowledged, History, Told } from './history.ts';
import { liveStreams } from './invariants/live-streams.ts';
import { orderStreams } from './invariants/order-streams.ts';
import { createCustomer } from './load/customer.ts';
import { startLoad } from './load/load.ts';
import { createProducts } from './load/products.ts';
import { createWatchers } from './load/watchers.ts';
import { readHistory } from './read-history.ts';
import type { Rig } from './rig/rig.ts';
import { settle } from './settle.ts';
import { type Tally, tally } from './tally.ts';

/** What is known of a system over all faults that it went through. */
export interface Session {
  readonly rig: Rig;
  readonly archive: TopicArchive;
  readonly told: {
    readonly [K in Exclude<keyof Told, 'watchers' | 'orderWatchers'>]: Told[K][number][];
  };
  /** What was found before, so that each breach is told once. */
  readonly known: Set<string>;
}

export interface FaultResult extends Tally {
  readonly fault: Fault;
  readonly skipped?: string;
  readonly fired: number;
  /** From the mending of all that was broken until nothing was on its way any more, in seconds. */
  readonly settledIn: number;
  /** All in all, in seconds. */
  readonly took: number;
  readonly breaches: readonly string[];
  /** Figures that the fault has measured. */
  readonly notes: readonly string[];
  /** What customers met, by code. */
  readonly failures: ReadonlyMap<string, number>;
  /** Parts that had to be started again although the fault was over. */
  readonly restarted: readonly string[];
}

const WARM_UP_ORDERS = 20;
const ORDERS_AFTERWARDS = 10;
const LIVE_WITHIN_MS = 20_000;

export async function runFault(
  { rig, archive, told, known }: Session,
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
    told.added.push({ stockId: id, quantity });
  };
  for (const { id, quantity } of products) await addStock(id, quantity);
  const load = startLoad({
    customer,
    random,
    products,
    label,
    onOrder: watchers.mayFollow,
  });
  const beside: Acknowledged[] = [];
  const foreign: { id: string; productId: string }[] = [];
  let fired = 0;
  let restarted: string[] = [];
  let settledIn = Number.NaN;
  try {
    await load.more(WARM_UP_ORDERS);
    const doing = { rig, archive, load, customer, random, label, short };
    const telling = { watch: watchers.watch, addStock, foreign, note, breach };
    const acknowledged = (order: Acknowledged): void => void beside.push(order);
    fired = await fault.run({ ...doing, ...telling, acknowledged });
  } catch (error) {
    breach(`the fault went wrong: ${describe(error)}`);
  }
  const mending = performance.now();
  try {
    restarted = await rig.restore();
    await load.more(ORDERS_AFTERWARDS);
  } catch (error) {
    breach(`the system did not come back: ${describe(error)}`);
  }
  await load.stop();
  const acknowledged = [...load.acknowledged, ...beside];
  told.acknowledged.push(...acknowledged);
  told.adjusted.push(...load.adjusted);
  told.foreign.push(...foreign);
  try {
    await settle(rig);
    settledIn = (performance.now() - mending) / 1_000;
  } catch (error) {
    breach(`it does not settle: ${describe(error)}`);
  }
  const read = async (): Promise<History> =>
    readHistory(rig.databases, await archive.catchUp(), { ...told, ...watchers.told() });
  const stored = await read();
  await eventually(
    () => {
      const seen = { ...stored, told: { ...told, ...watchers.told() } };
      return [...liveStreams(seen), ...orderStreams(seen)];
    },
    (found) => found.length === 0,
    { until: 'live streams have shown all', within: LIVE_WITHIN_MS },
  ).catch(() => {});
  const history = { ...stored, told: { ...told, ...watchers.told() } };
  await watchers.close();

  const internal = customer.failures.get('INTERNAL_SERVER_ERROR') ?? 0;
  if (internal > 0) breach(`${internal} requests were answered with INTERNAL_SERVER_ERROR`);
  for (const { guarantee, what } of check(history)) breach(`guarantee ${guarantee}: ${what}`);
  const isNew = (what: string): boolean => !known.has(what);
  const fresh = breaches.filter(isNew);
  for (const what of breaches) known.add(what);
  return {
    fault,
    fired,
    settledIn,
    took: (performance.now() - began) / 1_000,
    restarted,
    breaches: fresh,
    notes,
    failures: customer.failures,
    ...tally(history, acknowledged),
  };
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
