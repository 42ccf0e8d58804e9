/**
 * What one of each takes, with one replica of each service and with three, and what the parts take
 * that do not divide: the figures of k8s/SCALING.md. `npm run bench:scale -- [orders]`; 4 minutes.
 */
import { argv, stdout } from 'node:process';
import { usageOf } from './live/child.ts';
import { floodOrders } from './live/flood.ts';
import { createVerdict } from './live/verdict.ts';
import { deliverChanges } from './scale/deliveries.ts';
import { each, type MeasuredSystem, withMeasuredSystem } from './scale/measured-system.ts';
import { askQueries, settleOrders } from './scale/orders.ts';
import { feedChanges, relayEvents } from './scale/parts.ts';

const ORDERS = Number(argv[2] ?? 3_000);
const WARM_UP = 300;
const QUERIES = 500;
const CLIENTS = 300;
const CHANGES = 400;
const CHANGES_A_SECOND = 20;
const EVENTS = 20_000;
const OF_ONE = 5_000;

const verdict = createVerdict();
const perSecond = (count: number, ms: number): string => `${((count * 1_000) / ms).toFixed(0)}/s`;

async function orders(measured: MeasuredSystem): Promise<void> {
  await settleOrders(measured, WARM_UP);
  const wal = await measured.walBytes();
  const { ms, cpu } = await measured.measure(() => settleOrders(measured, ORDERS));
  const kib = ((await measured.walBytes()) - wal) / ORDERS / 1_024;
  verdict.say(
    `orders: ${perSecond(ORDERS, ms)}; ms CPU each: ${each(cpu, ORDERS)}; ${kib.toFixed(1)} KiB WAL`,
  );
  const [row] = await measured.system.databases.stock(
    'SELECT count(*)::int AS decided, count(DISTINCT order_id)::int AS orders FROM decisions',
  );
  const decided = row?.['decided'] === ORDERS + WARM_UP && row['orders'] === row['decided'];
  verdict.check('each order decided once', decided, JSON.stringify(row));
  const asked = await measured.measure(() => askQueries(measured, QUERIES));
  verdict.say(
    `queries of 20 orders with their stocks: ${perSecond(QUERIES, asked.ms)}; ms CPU each: ${each(asked.cpu, QUERIES)}`,
  );
}

async function deliveries(measured: MeasuredSystem): Promise<void> {
  const rssKib = async (): Promise<number> => {
    const usages = await Promise.all(measured.running('gateway').map(({ pid }) => usageOf(pid)));
    return usages.reduce((sum, usage) => sum + usage.rssKib, 0);
  };
  const wanted = { clients: CLIENTS, changes: CHANGES, aSecond: CHANGES_A_SECOND };
  const {
    connecting,
    idle,
    received,
    delivering,
    rssKib: rss,
  } = await deliverChanges(measured, wanted, rssKib);
  verdict.check('each change at each client', received === CLIENTS * CHANGES, String(received));
  verdict.say(
    `deliveries: ${perSecond(received, delivering.ms)}; ms CPU each: ${each(delivering.cpu, received, ['gateway'])}`,
  );
  verdict.say(
    `the changes behind them, ms CPU each: ${each(delivering.cpu, CHANGES, ['stock', 'postgres', 'kafka'])}`,
  );
  verdict.say(`a client that connects, ms CPU: ${each(connecting.cpu, CLIENTS, ['gateway'])}`);
  verdict.say(
    `a client that gets nothing: ${((idle.cpu.gateway * 1_000) / CLIENTS / (idle.ms / 1_000)).toFixed(1)} µs CPU a second, ` +
      `${((rss[1] - rss[0]) / CLIENTS).toFixed(0)} KiB with garbage`,
  );
}

async function parts(measured: MeasuredSystem): Promise<void> {
  const sent = await measured.measure(() => relayEvents(measured, EVENTS));
  verdict.say(
    `one relay: ${perSecond(EVENTS, sent.ms)}; ms CPU an event: ${each(sent.cpu, EVENTS, ['order', 'postgres', 'kafka'])}`,
  );
  const read = await measured.measure(() => feedChanges(measured, EVENTS));
  verdict.say(
    `changes that nobody watches: ${perSecond(EVENTS, read.ms)}; ms CPU each: ${each(read.cpu, EVENTS, ['stock', 'kafka'])}`,
  );
  const [id = ''] = measured.stockIds;
  const one = { ids: [id], count: OF_ONE, aSecond: 1_000_000 };
  const decided = await measured.measure(() => floodOrders(measured.system, one));
  verdict.say(
    `orders of one product in large batches: ${perSecond(OF_ONE, decided.ms)} decided; ms CPU each: ${each(decided.cpu, OF_ONE, ['stock', 'postgres', 'kafka'])}`,
  );
}

for (const replicas of [1, 3]) {
  stdout.write(`\n${replicas} of each service\n`);
  await withMeasuredSystem(replicas, async (measured) => {
    await orders(measured);
    await deliveries(measured);
    if (replicas === 1) await parts(measured);
  });
}
