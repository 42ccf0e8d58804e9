/**
 * Measures how the cost of a unit of work grows with the number of rows and subscribers, and checks
 * the query plan of each hot statement at the largest size.
 * `npm run bench:growth -- [orders|stocks|plans…] [--sizes 10000,10000000] [--quick] [--json file]`;
 * sizes are numbers of orders. Exits with 1 if an operation costs more than 1.5 times as much at
 * the largest size as at the smallest, or if the cost of a plan grows with its tables.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { dirname } from 'node:path';
import { exit, stdout, version } from 'node:process';
import { parseArgs } from 'node:util';
import { shownSize } from './growth/curve.ts';
import { fillOrders, fillStocks, PRODUCTS } from './growth/fill.ts';
import { startGrowthServers } from './growth/growth-servers.ts';
import {
  type GrownPair,
  measureDepths,
  measureOrderPages,
  measureOrders,
} from './growth/order-curves.ts';
import { findGrowth } from './growth/plan-check.ts';
import { renderPlan } from './growth/plans.ts';
import { HOT_ORDER_SETTINGS, runHotStatements } from './growth/run-hot-statements.ts';
import {
  type GrownStocks,
  measureChanges,
  measureStockPages,
  measureWatched,
} from './growth/stock-curves.ts';
import type { Figure } from './suite/figure.ts';
import { allHold, type Report, renderCase } from './suite/report.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sizes: { type: 'string', default: '10000,100000,1000000' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});
const ORDERS = values.sizes.split(',').map(Number);
const PARTS = ['orders', 'stocks', 'plans'];
const unknown = positionals.filter((word) => !PARTS.includes(word));
if (unknown.length > 0 || !ORDERS.every((size) => size >= 10_000 && size <= 100_000_000)) {
  stdout.write(`Parts are ${PARTS.join(', ')}; sizes from 10,000 to 100,000,000\n`);
  exit(1);
}
const wants = (part: string): boolean => positionals.length === 0 || positionals.includes(part);
const STOCKS = [1_000, 10_000, 100_000];
const long = { count: values.quick ? 2 : 5, ms: values.quick ? 1_500 : 4_000, warmUpMs: 3_000 };
const short = { count: values.quick ? 2 : 5, ms: values.quick ? 600 : 1_500, warmUpMs: 500 };

const print = (line: string): void => void stdout.write(`${line}\n`);
const cases: Record<string, readonly Figure[]> = {};
const show = (name: string, figures: readonly Figure[]): void => {
  cases[name] = figures;
  print(renderCase(name, figures));
};
const plans: { text: string; ms: number; plan: string; grows: readonly string[] }[] = [];
const servers = await startGrowthServers();
try {
  if (wants('orders')) {
    const pairs: GrownPair[] = [];
    for (const size of ORDERS) {
      const from = performance.now();
      const name = `${size}`;
      const order = await servers.grow('order', `order_${name}`, (url) => fillOrders(url, size), {
        RECONCILE_AFTER: '0',
      });
      const fill = (url: string): Promise<void> => fillStocks(url, PRODUCTS, size);
      const stock = await servers.grow('stock', `stock_${name}`, fill);
      pairs.push({ size, order, stock });
      print(
        `${shownSize(size)} orders: ${Math.round((performance.now() - from) / 1_000)} s to fill`,
      );
    }
    show('orders', await measureOrders(servers, pairs, long));
    show('pages of orders', await measureOrderPages(servers, pairs, short));
    const largest = pairs.at(-1);
    if (largest) show('depth', await measureDepths(servers, largest, short));
    for (const { order, stock } of pairs) await Promise.all([order.part.stop(), stock.part.stop()]);
  }
  if (wants('stocks')) {
    const sizes: GrownStocks[] = [];
    for (const size of STOCKS) {
      const fill = (url: string): Promise<void> => fillStocks(url, size, 100_000);
      sizes.push({ size, stock: await servers.grow('stock', `stock_of_${size}`, fill) });
    }
    show('changes', await measureChanges(servers, sizes, long));
    show('pages of stocks', await measureStockPages(servers, sizes, short));
    const largest = sizes.at(-1);
    if (largest) show('watchers', await measureWatched(servers, largest, long));
    for (const { stock } of sizes) await stock.part.stop();
  }
  if (wants('plans')) {
    const size = wants('orders') ? (ORDERS.at(-1) ?? 0) : 1_000_000;
    const order = await servers.grow(
      'order',
      'order_plans',
      (url) => fillOrders(url, size),
      HOT_ORDER_SETTINGS,
    );
    const fill = (url: string): Promise<void> => fillStocks(url, 100_000, size);
    const stock = await servers.grow('stock', 'stock_plans', fill);
    print(`plans with ${shownSize(size)} orders and 100,000 stocks`);
    for (const { text, ms, plan } of await servers.explaining(() =>
      runHotStatements(order, stock),
    )) {
      const grows = findGrowth(plan);
      plans.push({ text, ms, plan: renderPlan(plan), grows });
      print(`\n${text.slice(0, 400)}\n${renderPlan(plan, 1)}\n  ${ms} ms`);
      for (const one of grows) print(`  FAILS: ${one}`);
    }
  }
} finally {
  await servers.stop();
}
const at = new Date().toISOString();
const file = values.json ?? `.gudang/bench/growth-${at.replaceAll(':', '-')}.json`;
const machine = { node: version, cores: availableParallelism(), load: loadavg()[0] ?? 0 };
const report: Report = { at, machine, rounds: long.count, cases };
await mkdir(dirname(file), { recursive: true });
await writeFile(file, `${JSON.stringify({ ...report, plans }, null, 2)}\n`);
print(`\nCPU of all processes involved; medians, lowest – highest; written to ${file}`);
exit(allHold(report) && plans.every(({ grows }) => grows.length === 0) ? 0 : 1);
