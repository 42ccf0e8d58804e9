/**
 * 10,000 clients connect, subscribe and disconnect, a third of them without a close frame.
 * Afterwards the gateway must hold no streams, upstreams, timers or memory of these clients.
 * `npm run bench:live-churn -- [cycles]` takes 2 minutes.
 */
import { once } from 'node:events';
import { argv } from 'node:process';
import { createChecks } from '@gudang/testing/checks';
import { dataOf } from '@gudang/testing/clients/graph-client';
import { eventually } from '@gudang/testing/eventually';
import {
  INSPECTABLE,
  inspect,
  mebibytes,
  type ProcessMemory,
} from '@gudang/testing/process-inspector';
import { addStocks, gatewayMetric, withBenchSystem } from '@gudang/testing/system/bench-system';
import type { System } from '@gudang/testing/system/system';
import { WebSocket } from 'ws';

const CYCLES = Number(argv[2] ?? 10_000);
const WARM_UP = 2_000;
const AT_ONCE = 50;
const STOCKS = 20;
const GROWTH_LIMIT = 8 * 1024 * 1024;
const QUERY =
  'subscription ($ids: [ID!], $after: String) { stockChanged(ids: $ids, after: $after) { kind stock { id } } }';

async function connectOnce(url: string, number: number, variables: object): Promise<void> {
  const socket = new WebSocket(url, 'graphql-transport-ws');
  await once(socket, 'open');
  socket.send('{"type":"connection_init"}');
  await once(socket, 'message');
  socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: QUERY, variables } }));
  // Every tenth client waits until its catch-up has finished; the others disconnect during their
  // catch-ups.
  if (number % 10 === 0) await once(socket, 'message');
  if (number % 3 === 0) return socket.terminate();
  if (number % 3 === 1) socket.send('{"id":"1","type":"complete"}');
  socket.close();
  await once(socket, 'close');
}

async function churn(system: System, cycles: number, cursor: string): Promise<void> {
  const url = `${system.gateway.url.replace('http', 'ws')}/graphql`;
  let begun = 0;
  const worker = async (): Promise<void> => {
    while (begun < cycles) {
      const number = begun;
      begun += 1;
      const ids = number % 2 === 0 ? [`bench-${number % STOCKS}`] : undefined;
      // A client with a cursor gets a private catch-up.
      const after = number % 5 === 0 ? cursor : undefined;
      await connectOnce(url, number, { ids, after });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/**
 * Returns the remaining clients, streams and memory once the idle connection to the subgraph has
 * closed.
 */
async function measureRemaining(system: System, sample: () => Promise<ProcessMemory>) {
  const counts = async () => ({
    clients: await gatewayMetric(system, 'gateway_live_clients'),
    streams: await gatewayMetric(system, 'gateway_live_streams'),
    upstreams: await gatewayMetric(system, 'gateway_live_upstreams'),
    queued: await gatewayMetric(system, 'gateway_live_queued'),
  });
  const sum = (all: Awaited<ReturnType<typeof counts>>) =>
    Object.values(all).reduce((one, other) => one + other, 0);
  const left = await eventually(counts, (all) => sum(all) === 0, {
    until: 'all streams have ended',
    within: 10_000,
  }).catch(counts);
  let held = await sample();
  // Some keep-alive connections are still open: from the gateway to the subgraphs, and from this
  // process to the gateway. They close after a while.
  await eventually(
    async () => {
      const before = held;
      held = await sample();
      return JSON.stringify(held.resources) === JSON.stringify(before.resources);
    },
    (same) => same,
    { every: 6_000, within: 40_000 },
  );
  return { left, held };
}

const checks = createChecks();
await withBenchSystem({ environment: { gateway: INSPECTABLE } }, async (system) => {
  const { stockCursor } = await dataOf(system.graph('{ stockCursor }'));
  await addStocks(system, STOCKS);
  const inspected = await inspect(system.gateway.output);
  await churn(system, WARM_UP, stockCursor);
  const before = await measureRemaining(system, inspected.collected);
  await churn(system, CYCLES, stockCursor);
  const after = await measureRemaining(system, inspected.collected);
  for (const [name, count] of Object.entries(after.left)) {
    checks.verify(`no ${name} remain`, count === 0, `${count}`);
  }
  const kinds = ({ resources }: ProcessMemory): string =>
    Object.entries(resources)
      .map(([kind, count]) => `${count} ${kind}`)
      .sort()
      .join(', ');
  const timers = ({ resources }: ProcessMemory): number => resources['Timeout'] ?? 0;
  checks.verify(
    'no additional timers remain',
    timers(after.held) <= timers(before.held),
    `${kinds(before.held)} before, ${kinds(after.held)} after ${CYCLES} cycles`,
  );
  for (const kind of ['heapUsed', 'rss'] as const) {
    const grown = after.held[kind] - before.held[kind];
    checks.verify(
      `${kind} does not grow`,
      grown < GROWTH_LIMIT,
      `${mebibytes(grown)} more after garbage collection`,
    );
  }
  inspected.close();
});
