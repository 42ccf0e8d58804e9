/**
 * Measures what `stockChanged { order { status } }` shows while orders settle, and how far `order(id)` lags
 * behind the change: the time from the arrival of the change at the client to the commit that settles the
 * order in order_db, from PostgreSQL's commit timestamps. `npm run bench:consistency -- [orders]` watches
 * 1,000 orders by default, at 20 orders per second. Exits with 1 if an ORDERED change shows PENDING.
 */
import { argv } from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { createChecks, quantile } from '@gudang/testing/checks';
import { dataOf } from '@gudang/testing/clients/graph-client';
import { eventually } from '@gudang/testing/eventually';
import { addStocks, withBenchSystem } from '@gudang/testing/system/bench-system';

const ORDERS = Number(argv[2] ?? 1_000);
const PER_SECOND = 20;
const STOCKS = 10;
const WARM_UP_ORDERS = 100;

const CREATE = 'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id } }';
const STATUS = 'query ($id: ID!) { order(id: $id) { status } }';
const WATCH = 'subscription { stockChanged { kind order { id status } } }';

interface Watched {
  readonly stockChanged: {
    readonly kind: string;
    readonly order: { readonly id: string; readonly status: string } | null;
  };
}

const checks = createChecks();
await withBenchSystem(
  {},
  async (system) => {
    const ids = await addStocks(system, STOCKS);
    const live = await system.live<Watched>({ query: WATCH });
    const ordered = (from: number) =>
      live.events.slice(from).flatMap(({ data, at }) => {
        const { kind, order } = data?.stockChanged ?? {};
        return kind === 'ORDERED' && order ? [{ ...order, at }] : [];
      });

    /** Statuses that `order(id)` shows directly after the arrival of the change. */
    const firstReads: Promise<string>[] = [];
    let read = 0;
    const reading = setInterval(() => {
      const arrived = ordered(read);
      read = live.events.length;
      for (const { id } of arrived) {
        firstReads.push(system.graph(STATUS, { id }).then(({ data }) => data?.order?.status));
      }
    }, 1);

    const total = WARM_UP_ORDERS + ORDERS;
    const from = performance.now();
    const creating: Promise<unknown>[] = [];
    for (let number = 0; number < total; number += 1) {
      await pause(Math.max(0, from + (number * 1_000) / PER_SECOND - performance.now()));
      const input = { productId: ids[number % STOCKS], quantity: 1 };
      creating.push(dataOf(system.graph(CREATE, { input })));
    }
    await Promise.all(creating);
    const rows = await eventually(
      () =>
        system.databases.order(
          `SELECT id, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 * 1000 AS settled
           FROM orders WHERE status <> 'PENDING'`,
        ),
      (settled) => settled.length === total && firstReads.length === total,
      { until: 'every order is settled and its change has arrived', within: 60_000, every: 500 },
    );
    clearInterval(reading);
    const statuses = await Promise.all(firstReads);
    await live.close();

    const changes = ordered(0);
    const confirmed = changes.filter(({ status }) => status === 'CONFIRMED').length;
    checks.verify(
      'every ORDERED change shows its order as CONFIRMED',
      confirmed === total && changes.length === total,
      `${confirmed} of ${changes.length} changes of ${total} orders`,
    );
    const settledAt = new Map(rows.map(({ id, settled }) => [id, settled]));
    const lags = changes
      .slice(WARM_UP_ORDERS)
      .map(({ id, at }) => Math.max(0, settledAt.get(id) - performance.timeOrigin - at));
    const [p50, p99] = [quantile(lags, 0.5), quantile(lags, 0.99)];
    checks.print(
      `order(id) lags behind the change: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, ` +
        `longest ${Math.max(...lags).toFixed(1)} ms`,
    );
    const pending = statuses.filter((status) => status === 'PENDING').length;
    checks.print(`${pending} of ${total} queries sent when the change arrived showed PENDING`);
  },
  { track_commit_timestamp: 'on' },
);
