/**
 * Measures a backlog of orders. While Kafka is unavailable, two order processes accept orders. One
 * process was started before the outage, and the other was started during it. After Kafka's return,
 * the benchmark measures the rate of decisions and the CPU time per order. Run it with
 * `npm run bench:backlog -- [--count 20000] [--products 1]`. The benchmark fails if an order is
 * rejected or lost, or if a process is not ready.
 */
import { exit, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { dataOf, graphAt } from '@gudang/testing/clients/graph-client';
import { startReadinessMonitor } from '@gudang/testing/system/readiness-monitor';
import type { ServiceProcess } from '@gudang/testing/system/service-process';
import { startBacklogSystem } from './backlog/backlog-system.ts';
import { sendOrders } from './backlog/send-orders.ts';
import { type Stage, watchSettling } from './backlog/watch-settling.ts';
import { machineCpuMs, treeCpuMs } from './process-tree.ts';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '20000' },
    products: { type: 'string', default: '1' },
  },
});
const [count, products] = [Number(values.count), Number(values.products)];
if (!(count >= 1 && count <= 1_000_000 && products >= 1 && products <= count)) {
  stdout.write('npm run bench:backlog -- [--count 1 to 1000000] [--products 1 to count]\n');
  exit(1);
}

const print = (name: string, value: string): void => {
  stdout.write(`${name.padEnd(30)}${value}\n`);
};
const ms = (value: number): string => `${value.toFixed(1)} ms`;
const quantileOf = (sorted: readonly number[], share: number): number =>
  sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
const stage = ({ first, last, count: reached, perSecond }: Stage): string =>
  `${reached} from ${first.toFixed(1)} s to ${last.toFixed(1)} s: ${perSecond.toFixed(0)}/s`;

async function addStocks({ url }: ServiceProcess): Promise<string[]> {
  const ids = Array.from({ length: products }, (_, index) => `backlog-${index}`);
  const graph = graphAt(`${url}/graphql`);
  const mutation = 'mutation ($input: AddStockInput!) { addStock(input: $input) { id } }';
  for (const id of ids) {
    await dataOf(graph(mutation, { input: { id, name: id, quantity: count } }));
  }
  return ids;
}

async function republished(parts: readonly ServiceProcess[]): Promise<number> {
  let sum = 0;
  for (const { url } of parts) {
    const text = await (await fetch(`${url}/metrics`)).text();
    sum += Number(/^gudang_reconciled_total\{[^}]*\} (\d+)/m.exec(text)?.[1] ?? 0);
  }
  return sum;
}

const system = await startBacklogSystem();
try {
  const [before, stock] = await Promise.all([system.add('order'), system.add('stock')]);
  await Promise.all([before.ready(), stock.ready()]);
  const productIds = await addStocks(stock);

  await system.kafka.stop();
  const during = await system.add('order');
  const orders = [before, during];
  await during.ready();
  const readiness = startReadinessMonitor(orders);
  const sent = await sendOrders(orders, { count, productIds });
  const unready = await readiness.stop();
  const rejected = [...sent.errors.values()].reduce((sum, times) => sum + times, 0);
  print(
    'orders accepted without Kafka',
    `${sent.latencies.length} of ${count}, ${products} products`,
  );
  for (const [why, times] of sent.errors) print('errors', `${times} times: ${why}`);
  print('not ready', `in ${unready} probes`);
  const shares = [0.5, 0.99, 1].map((share) => ms(quantileOf(sent.latencies, share)));
  print(
    'createOrder p50, p99, max',
    `${shares.join(', ')}; ${(count / sent.seconds).toFixed(0)}/s`,
  );

  await system.kafka.start();
  const from = performance.now();
  const pids = { order: before.pid, 'order (2nd)': during.pid, stock: stock.pid };
  const processes = Object.entries({ ...pids, postgres: system.postgresPid });
  const cpu = () => Promise.all(processes.map(([, pid]) => treeCpuMs(pid)));
  const [cpuBefore, busyBefore] = [await cpu(), await machineCpuMs()];
  const { decided, settled } = await watchSettling(system.databases, { count, from });
  const [cpuAfter, busyAfter] = [await cpu(), await machineCpuMs()];
  const elapsed = performance.now() - from;

  print('decided by stock', stage(decided));
  print('settled by order', stage(settled));
  print(
    'end to end',
    `${(settled.count / settled.last).toFixed(0)}/s since Kafka accepts connections`,
  );
  for (const [index, [name]] of processes.entries()) {
    const spent = (cpuAfter[index] ?? 0) - (cpuBefore[index] ?? 0);
    print(`CPU of ${name}`, `${((1_000 * spent) / count).toFixed(0)} µs per order`);
  }
  print(
    'load of the machine',
    `${((100 * (busyAfter - busyBefore)) / elapsed).toFixed(0)}% of one core`,
  );
  print('published again by the reconciler', `${await republished(orders)} orders`);
  const [sold] = await system.databases.stock(
    "SELECT count(*)::int AS n FROM decisions WHERE status = 'CONFIRMED'",
  );
  if (rejected > 0 || unready > 0 || sold?.['n'] !== count || settled.count !== count) {
    print('FAILED', `${sold?.['n']} confirmed, ${settled.count} settled of ${count}`);
    process.exitCode = 1;
  }
} finally {
  await system.stop();
}
exit();
