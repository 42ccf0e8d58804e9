/**
 * One client that stops reading while 100,000 changes of 1,000 stocks pass, beside 20 that read;
 * and three control runs without it. `npm run bench:live-stalled -- [changes]`; 5 minutes.
 *
 * A client that reads nothing answers no pings, so the gateway closes it after 12–24 s, as it does
 * one that has vanished. When it reads again it finds the end of its connection, and goes on from
 * its cursor as after any other: that brings it the last state of each stock.
 */
import { argv } from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { createChecks, quantile } from '@gudang/testing/checks';
import { floodOrders } from '@gudang/testing/clients/order-load';
import type { StockChange, StockSubscriber } from '@gudang/testing/clients/stock-subscriber';
import { isBehind, startStockSubscribers } from '@gudang/testing/clients/stock-subscribers';
import { INSPECTABLE, inspect, mebibytes } from '@gudang/testing/process-inspector';
import { addStocks, storedVersions, withBenchSystem } from '@gudang/testing/system/bench-system';
import type { System } from '@gudang/testing/system/system';

const CHANGES = Number(argv[2] ?? 100_000);
const STOCKS = 1_000;
const A_SECOND = 2_500;
const WARM_UP = 10_000;
const READERS = 20;
const CONTROLS = 3;
const MAY_GROW = 20 * 1024 * 1024;
const LOOK_EVERY_MS = 1_000;

interface Run {
  /** The most above what there was before: of RSS, and of what is no garbage. */
  readonly rss: number;
  readonly kept: number;
  readonly p99: number;
  readonly behind: number;
  readonly slow: StockSubscriber | undefined;
}

/** So many changes with a fresh gateway; the client that stalls has stopped reading at the start. */
async function run(system: System, ids: readonly string[], stalls: boolean): Promise<Run> {
  await system.gateway.restart();
  await system.gateway.ready();
  const inspected = await inspect(system.gateway.output);
  let waits: number[] = [];
  const onChange = ({ at }: StockChange): void => {
    waits.push(Date.now() - Date.parse(at));
  };
  const readers = await startStockSubscribers(system, READERS, { onChange });
  const [slow] = await startStockSubscribers(system, 1, {});
  await floodOrders(system, { ids, count: WARM_UP, aSecond: A_SECOND });
  if (stalls) slow?.pause(true);
  waits = [];
  const before = await inspected.collected();
  const most = { rss: before.rss, kept: before.heapUsed + before.external };
  const over = new AbortController();
  const watch = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const { rss, heapUsed, external } = await inspected.collected();
      most.rss = Math.max(most.rss, rss);
      most.kept = Math.max(most.kept, heapUsed + external);
      await pause(LOOK_EVERY_MS);
    }
  };
  const watching = watch();
  await floodOrders(system, { ids, count: CHANGES, aSecond: A_SECOND });
  over.abort();
  await watching;
  inspected.close();
  const stored = await storedVersions(system);
  const giveUpAt = performance.now() + 20_000;
  const behind = () => readers.filter((one) => isBehind(one, stored)).length;
  while (behind() > 0 && performance.now() < giveUpAt) await pause(100);
  const done = {
    rss: most.rss - before.rss,
    kept: most.kept - before.heapUsed - before.external,
    p99: quantile(waits, 0.99),
    behind: behind(),
  };
  for (const one of readers) one.cut();
  if (!stalls) slow?.cut();
  return { ...done, slow: stalls ? slow : undefined };
}

/** Reads again, and comes back by its cursor where its connection has ended. */
async function readAgain(system: System, slow: StockSubscriber): Promise<boolean> {
  slow.pause(false);
  const stored = await storedVersions(system);
  const giveUpAt = performance.now() + 20_000;
  while (isBehind(slow, stored) && performance.now() < giveUpAt) {
    if (!slow.connected()) await slow.connect();
    await pause(200);
  }
  return !isBehind(slow, stored);
}

const checks = createChecks();
await withBenchSystem({ environment: { gateway: INSPECTABLE } }, async (system) => {
  const ids = await addStocks(system, STOCKS);
  const controls: Run[] = [];
  const told = ({ rss, kept, p99 }: Run): string =>
    `RSS +${mebibytes(rss)}, kept +${mebibytes(kept)}, others' p99 ${p99} ms`;
  for (let count = 1; count <= CONTROLS; count += 1) {
    const control = await run(system, ids, false);
    controls.push(control);
    checks.print(`       all read: ${told(control)}`);
  }
  const stalled = await run(system, ids, true);
  checks.print(`       one stalled: ${told(stalled)}`);
  const most = (of: (one: Run) => number): number => Math.max(...controls.map(of));
  const least = (of: (one: Run) => number): number => Math.min(...controls.map(of));
  const rss = stalled.rss - most((one) => one.rss);
  const kept = stalled.kept - most((one) => one.kept);
  checks.verify('RSS grows by less than 20 MiB more', rss < MAY_GROW, mebibytes(rss));
  checks.verify('so does what is kept', kept < MAY_GROW, mebibytes(kept));
  const [low, high] = [least(({ p99 }) => p99), most(({ p99 }) => p99)];
  checks.verify(
    "others' p99 differs by less than the controls' spread",
    stalled.p99 <= high + (high - low),
    `${stalled.p99} ms, controls ${low} to ${high} ms`,
  );
  checks.verify('others have each last state', stalled.behind === 0, `${stalled.behind} behind`);
  const { slow } = stalled;
  checks.verify(
    'the stalled one has each last state once it reads again',
    slow !== undefined && (await readAgain(system, slow)),
    `${slow?.received()} events, ${slow?.snapshots()} of them in a snapshot, ${slow?.conflated()} conflated`,
  );
  slow?.cut();
});
