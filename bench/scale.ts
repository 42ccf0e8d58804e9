/**
 * Measures the cost of each unit of work with one and with three replicas of each service, and the
 * cost of the parts that do not scale out. k8s/SCALING.md uses these figures. Both systems receive
 * orders at the same rate, because an order would cost less at a higher rate. The two systems are
 * measured in turns, because other load on the machine varies.
 * `npm run bench:scale -- --rate 40 --seconds 30 --rounds 3` takes 3 minutes per round.
 */
import { argv, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { createChecks } from '@gudang/testing/checks';
import { floodOrders } from '@gudang/testing/clients/order-load';
import { usageOf } from './live/child.ts';
import { deliverChanges } from './scale/deliveries.ts';
import {
  type MeasuredSystem,
  PARTS,
  type Spent,
  withMeasuredSystem,
} from './scale/measured-system.ts';
import { paceOrders, sendQueries, settleOrders } from './scale/orders.ts';
import { feedChanges, relayEvents } from './scale/parts.ts';
import { createScaleFigures } from './scale/scale-figures.ts';

const { values: given } = parseArgs({
  args: argv.slice(2),
  options: {
    rate: { type: 'string', default: '40' },
    seconds: { type: 'string', default: '30' },
    rounds: { type: 'string', default: '3' },
  },
});
const RATE = Number(given.rate);
const PACED = RATE * Number(given.seconds);
const ROUNDS = Number(given.rounds);
const AT_ONCE = 2_000;
const WARM_UP = 300;
const QUERIES = 1_000;
const CLIENTS = 300;
const CHANGES = 400;
const CHANGES_PER_SECOND = 20;
const EVENTS = 20_000;
const OF_ONE = 5_000;

const checks = createChecks();
const figures = createScaleFigures();
type SystemPart = keyof Spent;

/** Creates recorders of rates, CPU times and other values for a system with `replicas` replicas. */
function notesOf(replicas: number) {
  return {
    rate: (what: string, count: number, ms: number) =>
      figures.note(`${what}, per second`, replicas, (count * 1_000) / ms),
    cpu: (what: string, cpu: Spent, count: number, parts: readonly SystemPart[] = PARTS) => {
      for (const part of parts) {
        figures.note(`${what}, ms CPU of ${part}`, replicas, cpu[part] / count);
      }
    },
    value: (what: string, value: number) => figures.note(what, replicas, value),
  };
}
type Notes = ReturnType<typeof notesOf>;

async function orders(measured: MeasuredSystem, notes: Notes): Promise<void> {
  await settleOrders(measured, WARM_UP);
  const wal = await measured.walBytes();
  const paced = await measured.measure(() =>
    paceOrders(measured, { count: PACED, ordersPerSecond: RATE }),
  );
  const kib = ((await measured.walBytes()) - wal) / PACED / 1_024;
  notes.cpu(`an order at ${RATE} per second`, paced.cpu, PACED);
  notes.value('an order, KiB of WAL', kib);
  const late = paced.result / 1_000;
  checks.verify(
    `${RATE} orders per second were sent`,
    late < 1,
    `the last one ${late.toFixed(2)} s late`,
  );

  const atOnce = await measured.measure(() => settleOrders(measured, AT_ONCE));
  notes.rate('orders, 40 clients', AT_ONCE, atOnce.ms);
  notes.cpu('an order, 40 clients', atOnce.cpu, AT_ONCE);
  const [row] = await measured.system.databases.stock(
    'SELECT count(*)::int AS decided, count(DISTINCT order_id)::int AS orders FROM decisions',
  );
  const all = WARM_UP + PACED + AT_ONCE;
  const decided = row?.['decided'] === all && row['orders'] === all;
  checks.verify('each order was decided once', decided, JSON.stringify(row));

  const asked = await measured.measure(() => sendQueries(measured, QUERIES));
  notes.rate('queries of 20 orders with their stocks, 40 clients', QUERIES, asked.ms);
  notes.cpu('a query of 20 orders with their stocks', asked.cpu, QUERIES, [
    'gateway',
    'order',
    'stock',
    'postgres',
  ]);
}

async function deliveries(measured: MeasuredSystem, notes: Notes): Promise<void> {
  const rssKib = async (): Promise<number> => {
    const usages = await Promise.all(measured.running('gateway').map(({ pid }) => usageOf(pid)));
    return usages.reduce((sum, usage) => sum + usage.rssKib, 0);
  };
  const wanted = { clients: CLIENTS, changes: CHANGES, changesPerSecond: CHANGES_PER_SECOND };
  const seen = await deliverChanges(measured, wanted, rssKib);
  const { received, delivering, connecting, idle, rssKib: rss } = seen;
  checks.verify(
    'each client received each change',
    received === CLIENTS * CHANGES,
    String(received),
  );
  notes.rate('deliveries', received, delivering.ms);
  notes.cpu('a delivery', delivering.cpu, received, ['gateway']);
  notes.cpu('a delivered change', delivering.cpu, CHANGES, ['stock', 'postgres', 'kafka']);
  notes.cpu('a client that connects', connecting.cpu, CLIENTS, ['gateway']);
  const idleMicros = (idle.cpu.gateway * 1_000) / CLIENTS / (idle.ms / 1_000);
  notes.value('a second of an idle client, µs CPU', idleMicros);
  notes.value('a client, KiB including garbage', (rss[1] - rss[0]) / CLIENTS);
}

async function parts(measured: MeasuredSystem, notes: Notes): Promise<void> {
  const sent = await measured.measure(() => relayEvents(measured, EVENTS));
  notes.rate('events by one relay', EVENTS, sent.ms);
  notes.cpu('an event through an outbox', sent.cpu, EVENTS, ['order', 'postgres', 'kafka']);
  const read = await measured.measure(() => feedChanges(measured, EVENTS));
  notes.rate('changes without subscribers', EVENTS, read.ms);
  notes.cpu('a change without subscribers', read.cpu, EVENTS, ['stock', 'kafka']);
  const [id = ''] = measured.stockIds;
  const one = { ids: [id], count: OF_ONE, ordersPerSecond: 1_000_000 };
  const decided = await measured.measure(() => floodOrders(measured.system, one));
  notes.rate('orders of one product in large batches', OF_ONE, decided.ms);
  notes.cpu('an order of one product in large batches', decided.cpu, OF_ONE, [
    'stock',
    'postgres',
    'kafka',
  ]);
}

for (let round = 1; round <= ROUNDS; round += 1) {
  for (const replicas of round % 2 ? [1, 3] : [3, 1]) {
    stdout.write(`round ${round} of ${ROUNDS}, replicas: ${replicas}\n`);
    await withMeasuredSystem(replicas, async (measured) => {
      const notes = notesOf(replicas);
      await orders(measured, notes);
      await deliveries(measured, notes);
      if (replicas === 1) await parts(measured, notes);
    });
  }
}
stdout.write(
  `\nOne replica of each service → three; medians (lowest – highest) of ${ROUNDS} rounds\n`,
);
for (const line of figures.lines()) checks.print(line);
