/**
 * One client stops reading during 100,000 changes of 1,000 stocks, while 20 other clients read.
 * Then three control runs follow without the stalled client.
 * `npm run bench:live-stalled -- [changes]` takes 5 minutes.
 *
 * A client that does not read answers no pings, so the gateway closes its connection after 12–24 s.
 * When the client reads again, it detects the closed connection and resumes from its cursor.
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
const PER_SECOND = 2_500;
const WARM_UP = 10_000;
const READERS = 20;
const CONTROLS = 3;
const GROWTH_LIMIT = 20 * 1024 * 1024;
const POLL_EVERY_MS = 1_000;

interface Run {
  /**
   * Maximum growth of RSS. `live` is the maximum growth of heap and buffers after garbage
   * collection.
   */
  readonly rss: number;
  readonly live: number;
  readonly p99: number;
  readonly behind: number;
  readonly slow: StockSubscriber | undefined;
}

/**
 * Runs the changes with a restarted gateway. The stalled client reads nothing during the whole run.
 */
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
  await floodOrders(system, { ids, count: WARM_UP, ordersPerSecond: PER_SECOND });
  if (stalls) slow?.pause(true);
  waits = [];
  const before = await inspected.collected();
  const most = { rss: before.rss, live: before.heapUsed + before.external };
  const over = new AbortController();
  const watch = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const { rss, heapUsed, external } = await inspected.collected();
      most.rss = Math.max(most.rss, rss);
      most.live = Math.max(most.live, heapUsed + external);
      await pause(POLL_EVERY_MS);
    }
  };
  const watching = watch();
  await floodOrders(system, { ids, count: CHANGES, ordersPerSecond: PER_SECOND });
  over.abort();
  await watching;
  inspected.close();
  const stored = await storedVersions(system);
  const giveUpAt = performance.now() + 20_000;
  const behind = () => readers.filter((one) => isBehind(one, stored)).length;
  while (behind() > 0 && performance.now() < giveUpAt) await pause(100);
  const done = {
    rss: most.rss - before.rss,
    live: most.live - before.heapUsed - before.external,
    p99: quantile(waits, 0.99),
    behind: behind(),
  };
  for (const one of readers) one.cut();
  if (!stalls) slow?.cut();
  return { ...done, slow: stalls ? slow : undefined };
}

/** Makes the client read again and reconnect with its cursor. */
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
  const describeRun = ({ rss, live, p99 }: Run): string =>
    `RSS +${mebibytes(rss)}, live memory +${mebibytes(live)}, p99 of the others ${p99} ms`;
  for (let count = 1; count <= CONTROLS; count += 1) {
    const control = await run(system, ids, false);
    controls.push(control);
    checks.print(`       control: ${describeRun(control)}`);
  }
  const stalled = await run(system, ids, true);
  checks.print(`       with a stalled client: ${describeRun(stalled)}`);
  const most = (of: (one: Run) => number): number => Math.max(...controls.map(of));
  const least = (of: (one: Run) => number): number => Math.min(...controls.map(of));
  const rss = stalled.rss - most((one) => one.rss);
  const live = stalled.live - most((one) => one.live);
  checks.verify('RSS grows by less than 20 MiB more', rss < GROWTH_LIMIT, mebibytes(rss));
  checks.verify('live memory grows by less than 20 MiB more', live < GROWTH_LIMIT, mebibytes(live));
  const [low, high] = [least(({ p99 }) => p99), most(({ p99 }) => p99)];
  checks.verify(
    "the others' p99 is within the spread of the control runs",
    stalled.p99 <= high + (high - low),
    `${stalled.p99} ms, controls ${low} to ${high} ms`,
  );
  checks.verify(
    "the others have each stock's last state",
    stalled.behind === 0,
    `${stalled.behind} behind`,
  );
  const { slow } = stalled;
  checks.verify(
    "the stalled client has each stock's last state after it reads again",
    slow !== undefined && (await readAgain(system, slow)),
    `${slow?.received()} events, ${slow?.snapshots()} of them in a snapshot, ${slow?.conflated()} conflated`,
  );
  slow?.cut();
});
