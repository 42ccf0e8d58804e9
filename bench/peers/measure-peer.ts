import { quantile } from '@gudang/testing/checks';
import { type Child, startChild, usageOf } from '../live/child.ts';
import { treeCpuMs } from '../process-tree.ts';
import { createLoader } from '../suite/http-load.ts';
import type { Peer } from './gateways.ts';
import type { Measurement } from './peer-table.ts';

export interface Duration {
  readonly ms: number;
  readonly warmUpMs: number;
}

interface State {
  readonly streams: number;
  readonly requests: number;
}

const CONNECTIONS = 20;
const LIST = 'query List($tag: Int) { items(first: 50, tag: $tag) { id name quantity rating } }';
const LIVE = 'subscription { ticked { n at text item { id rating } } }';
const LIVE_CLIENTS = 200;
const EVENTS_PER_SECOND = 20;

const cpuOf = ({ pid }: Peer): Promise<number> =>
  pid === undefined ? Promise.resolve(Number.NaN) : treeCpuMs(pid);

/** Measures the federated list of 50 items. @param different whether each request has other variables */
export async function measureList(
  peer: Peer,
  subgraphs: Child,
  { ms, warmUpMs }: Duration,
  different: boolean,
): Promise<Measurement[]> {
  const body = (turn: number) =>
    JSON.stringify({ query: LIST, variables: { tag: different ? turn : 0 } });
  const loader = createLoader({ url: peer.url, body, clients: CONNECTIONS });
  try {
    await loader.run(warmUpMs);
    const before = { cpu: await cpuOf(peer), state: await subgraphs.ask<State>({}) };
    const { requests, seconds, latencies } = await loader.run(ms);
    const [cpu, state] = [await cpuOf(peer), await subgraphs.ask<State>({})];
    return [
      { name: 'CPU ms per request', value: (cpu - before.cpu) / requests, digits: 3 },
      { name: 'requests/s', value: requests / seconds, digits: 0 },
      { name: 'p50 ms', value: quantile(latencies, 0.5), digits: 1 },
      { name: 'p99 ms', value: quantile(latencies, 0.99), digits: 1 },
      {
        name: 'subgraph requests per request',
        value: (state.requests - before.state.requests) / requests,
        digits: 2,
      },
    ];
  } finally {
    loader.close();
  }
}

/** Measures 200 clients of one subscription whose events contain a field of the other subgraph. */
export async function measureLive(
  peer: Peer,
  subgraphs: Child,
  { ms, warmUpMs }: Duration,
): Promise<Measurement[]> {
  const clients = await startChild('clients.ts');
  try {
    const url = peer.url.replace(/^http/, 'ws');
    await clients.ask({ open: { url, count: LIVE_CLIENTS, queries: [LIVE] } });
    await settle(subgraphs);
    await tick(subgraphs, warmUpMs);
    await takeAll(clients);
    const before = { cpu: await cpuOf(peer), state: await subgraphs.ask<State>({}) };
    const events = await tick(subgraphs, ms);
    const { received, latencies } = await takeAll(clients);
    const [cpu, state] = [await cpuOf(peer), await subgraphs.ask<State>({})];
    const memory = peer.pid === undefined ? Number.NaN : (await usageOf(peer.pid)).rssKib / 1024;
    return [
      { name: 'CPU µs per delivery', value: (1_000 * (cpu - before.cpu)) / received, digits: 1 },
      { name: 'delivered %', value: (100 * received) / (events * LIVE_CLIENTS), digits: 1 },
      { name: 'p50 ms', value: quantile(latencies, 0.5), digits: 1 },
      { name: 'p99 ms', value: quantile(latencies, 0.99), digits: 1 },
      { name: 'upstream subscriptions', value: state.streams, digits: 0 },
      {
        name: 'subgraph requests per event',
        value: (state.requests - before.state.requests) / events,
        digits: 2,
      },
      { name: 'memory MiB', value: memory, digits: 0 },
    ];
  } finally {
    await clients.stop();
  }
}

/** Waits until a gateway has opened its subscriptions to the subgraph. */
async function settle(subgraphs: Child): Promise<void> {
  for (let before = -1; ; ) {
    await pause(1_000);
    const { streams } = await subgraphs.ask<State>({});
    if (streams > 0 && streams === before) return;
    before = streams;
  }
}

/** Sends events at a fixed rate. @returns their number */
async function tick(subgraphs: Child, ms: number): Promise<number> {
  const from = performance.now();
  let events = 0;
  for (let due = from; due < from + ms; due += 1_000 / EVENTS_PER_SECOND) {
    await pause(Math.max(0, due - performance.now()));
    await subgraphs.ask({ burst: 1 });
    events += 1;
  }
  return events;
}

/** Returns what the clients have received, once no more events arrive. */
async function takeAll(clients: Child): Promise<{ received: number; latencies: number[] }> {
  const all = { received: 0, latencies: [] as number[] };
  for (;;) {
    await pause(2_000);
    const { received, latencies } = await clients.ask<typeof all>({ report: true });
    if (received === 0) return all;
    all.received += received;
    all.latencies.push(...latencies);
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
