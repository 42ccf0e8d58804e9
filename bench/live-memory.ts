/**
 * Measures the memory per client of the gateway and of a bare `ws` server, with 500 and 5,000
 * clients. Before the measurement, each process serves the same number of clients once. The memory
 * of code that is loaded and compiled for the first clients is therefore not included.
 * `npm run bench:live-memory` takes 2 minutes.
 */
import { stdout } from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { createChecks } from '@gudang/testing/checks';
import { INSPECTABLE, inspect, type ProcessMemory } from '@gudang/testing/process-inspector';
import { type Child, startChild, startGateway, usageOf } from './live/child.ts';

const QUERY = 'subscription { ticked(tag: "0") { n at text } }';
const EVENTS = 40;
const EVENT_EVERY_MS = 50;
const CLIENTS_PER_PROCESS = 2_500;
const LIMIT_KIB = 20;

interface Target {
  readonly url: string;
  readonly pid: number;
  /** Memory after garbage collection. */
  readonly memory: () => Promise<Pick<ProcessMemory, 'rss' | 'heapUsed' | 'external'>>;
  readonly stop: () => Promise<void>;
}

/** Memory in KiB per client. */
interface MemoryPerClient {
  readonly rss: number;
  readonly heap: number;
  /** RSS before garbage collection. */
  readonly rssWithGarbage: number;
}

async function startTarget(source: Child, bare: boolean): Promise<Target> {
  const { port } = await source.ask<{ port: number }>({});
  const address = `http://127.0.0.1:${port}`;
  if (bare) {
    const memory = () => source.ask<ProcessMemory>({ memory: true });
    return { url: address, pid: source.pid, memory, stop: async () => {} };
  }
  const gateway = await startGateway({
    ...INSPECTABLE,
    SUPERGRAPH: new URL('live/supergraph.graphql', import.meta.url).pathname,
    SUBGRAPH_URLS: `ticks=${address}/graphql,ratings=${address}/graphql`,
  });
  const { collected } = await inspect(gateway.output);
  return { ...gateway, memory: collected };
}

async function measure(count: number, bare: boolean): Promise<MemoryPerClient> {
  const source = await startChild(bare ? 'broadcast.ts' : 'subgraph.ts');
  const target = await startTarget(source, bare);
  const come = async (): Promise<Child[]> => {
    const url = `${target.url.replace('http', 'ws')}/graphql`;
    const children: Child[] = [];
    for (let left = count; left > 0; left -= CLIENTS_PER_PROCESS) {
      const child = await startChild('clients.ts');
      children.push(child);
      await child.ask({
        open: { url, count: Math.min(left, CLIENTS_PER_PROCESS), queries: [QUERY] },
      });
    }
    for (let sent = 0; sent < EVENTS; sent += 1) {
      await source.ask({ burst: 1 });
      await pause(EVENT_EVERY_MS);
    }
    return children;
  };
  const leave = async (children: readonly Child[]): Promise<void> => {
    for (const child of children) await child.stop();
    await pause(1_000);
  };
  await leave(await come());
  const before = await target.memory();
  const clients = await come();
  const { rssKib } = await usageOf(target.pid);
  const after = await target.memory();
  await leave(clients);
  await target.stop();
  await source.stop();
  const heapOf = ({ heapUsed, external }: typeof after): number => heapUsed + external;
  return {
    rss: (after.rss - before.rss) / 1024 / count,
    heap: (heapOf(after) - heapOf(before)) / 1024 / count,
    rssWithGarbage: (rssKib - before.rss / 1024) / count,
  };
}

const ROWS = [
  ['rss', 'RSS after garbage collection'],
  ['heap', 'heap and buffers after garbage collection'],
  ['rssWithGarbage', 'RSS before garbage collection'],
] as const;

const checks = createChecks();
for (const count of [500, 5_000]) {
  const bare = await measure(count, true);
  const gateway = await measure(count, false);
  stdout.write(`\n${count} clients, KiB per client`.padEnd(40));
  stdout.write(`${'gateway'.padStart(10)}${'bare ws'.padStart(10)}\n`);
  for (const [row, name] of ROWS) {
    const figures = [gateway[row], bare[row]].map((one) => one.toFixed(1).padStart(10)).join('');
    stdout.write(`${name.padEnd(39)}${figures}\n`);
  }
  for (const [row, name] of ROWS.slice(0, 2)) {
    const more = gateway[row] - bare[row];
    checks.verify(`${name}: less than 20 KiB more`, more < LIMIT_KIB, `${more.toFixed(1)} KiB`);
  }
}
