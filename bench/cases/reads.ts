import { fileURLToPath } from 'node:url';
import { startChild } from '../live/child.ts';
import type { Bench, BenchCase } from '../suite/bench-case.ts';
import type { BenchRig } from '../suite/bench-rig.ts';
import { createCpuProbe, POSTGRES_TOTAL, SYSTEM_TOTAL } from '../suite/cpu-probe.ts';
import type { Bar, Figure } from '../suite/figure.ts';
import { startPaced } from '../suite/http-load.ts';
import { type Measured, measureLoads, ratio } from '../suite/measure-load.ts';
import {
  differentLists,
  differentPages,
  inTurn,
  LIST,
  ORDER,
  PAGE_OF_STOCKS,
  STOCK,
} from './queries.ts';

const CONNECTIONS = 20;
const MANY_CONNECTIONS = 100;
const ORDERS_PER_SECOND = 50;
const SUBGRAPH_REQUESTS = 'subgraph requests per request';
const supergraph = fileURLToPath(new URL('../../gateway/supergraph.graphql', import.meta.url));

/** Load on the rig's gateway. */
function gatewayLoad(
  rig: BenchRig,
  label: string,
  body: (turn: number) => string,
  { clients = CONNECTIONS, bars = {} }: { clients?: number; bars?: Record<string, Bar> } = {},
): Measured {
  return {
    label,
    load: { url: rig.graphUrl, body, clients },
    readCpu: rig.readCpu,
    only: ['gateway', 'order', 'stock', POSTGRES_TOTAL, SYSTEM_TOTAL],
    bars,
    counts: { [SUBGRAPH_REQUESTS]: () => subgraphRequests(rig) },
    memory: { gateway: rig.gateway.pid },
  };
}

/** Returns the number of the gateway's subgraph requests for queries so far. */
async function subgraphRequests({ gateway }: BenchRig): Promise<number> {
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  const sumOf = (series: RegExp): number =>
    [...text.matchAll(series)].reduce((sum, [, count]) => sum + Number(count), 0);
  const all = sumOf(/^gateway_subgraph_request_seconds_count\{[^}]*\} (\d+)/gm);
  return all - sumOf(/^gateway_request_seconds_count\{[^}]*operation="mutation"[^}]*\} (\d+)/gm);
}

const cpuOf = (figures: readonly Figure[], name: string): Figure => {
  const found = figures.find((figure) => figure.name === name);
  if (!found) throw new Error(`The figure ${name} is missing`);
  return found;
};

/**
 * Starts @apollo/gateway with its default data source, and a bare server that sends the same bytes.
 */
async function startReferences(rig: BenchRig, answer: string) {
  const urls = [`order=${rig.order.url}/graphql`, `stock=${rig.stock.url}/graphql`];
  const apollo = await startChild('../cases/apollo-default.ts', supergraph, ...urls);
  const bare = await startChild('../cases/bare-server.ts');
  const loadOf = async (name: string, child: typeof apollo, body: (turn: number) => string) => {
    const { port } = await child.ask<{ port: number }>({ answer });
    const measured: Measured = {
      label: name,
      load: { url: `http://127.0.0.1:${port}/graphql`, body, clients: CONNECTIONS },
      readCpu: createCpuProbe({ gateway: child.pid }),
    };
    return measured;
  };
  return {
    apollo: (body: (turn: number) => string) => loadOf('@apollo/gateway', apollo, body),
    bare: (body: (turn: number) => string) => loadOf('floor, a bare server', bare, body),
    stop: async () => void (await Promise.all([apollo.stop(), bare.stop()])),
  };
}

async function runList({ rig: getRig, rounds }: Bench): Promise<Figure[]> {
  const rig = await getRig();
  const different = inTurn(await differentLists(rig));
  const same = () => JSON.stringify({ query: LIST });
  const answer = JSON.stringify(await rig.graph(LIST));
  const neighbours = await startReferences(rig, answer);
  try {
    const figures = await measureLoads(
      [
        gatewayLoad(rig, 'all different', different, { bars: { 'CPU gateway': { atMost: 900 } } }),
        await neighbours.apollo(different),
        gatewayLoad(rig, 'all the same', same, {
          bars: { 'CPU gateway': { atMost: 120 }, [SUBGRAPH_REQUESTS]: { atMost: 0.1 } },
        }),
        await neighbours.bare(same),
      ],
      rounds,
    );
    const ours = cpuOf(figures, 'all different: CPU gateway');
    const theirs = cpuOf(figures, '@apollo/gateway: CPU gateway');
    const share = ratio('all different: of @apollo/gateway', ours, theirs, { atMost: 0.4 });
    return [...figures, share];
  } finally {
    await neighbours.stop();
  }
}

async function runSameWithOrders({ rig: getRig, rounds }: Bench): Promise<Figure[]> {
  const rig = await getRig();
  const input = { productId: rig.stockIds[0], quantity: 1 };
  const order = () => JSON.stringify({ query: ORDER, variables: { input } });
  const stop = startPaced({ url: rig.graphUrl, body: order }, ORDERS_PER_SECOND);
  try {
    const same = () => JSON.stringify({ query: LIST });
    const bars = { [SUBGRAPH_REQUESTS]: { atMost: 0.1 } };
    return await measureLoads([gatewayLoad(rig, '', same, { bars })], rounds);
  } finally {
    await stop();
    await rig.settled();
  }
}

async function runHot({ rig: getRig, rounds }: Bench): Promise<Figure[]> {
  const rig = await getRig();
  const same = () => JSON.stringify({ query: LIST });
  return measureLoads([gatewayLoad(rig, '', same, { clients: MANY_CONNECTIONS })], rounds);
}

async function runStock({ rig: getRig, rounds }: Bench): Promise<Figure[]> {
  const rig = await getRig();
  const bodies = rig.stockIds.map((id) => JSON.stringify({ query: STOCK, variables: { id } }));
  const answer = JSON.stringify(await rig.graph(STOCK, { id: rig.stockIds[0] }));
  const neighbours = await startReferences(rig, answer);
  try {
    const body = inTurn(bodies);
    return await measureLoads(
      [
        gatewayLoad(rig, 'stock', body, { bars: { 'CPU gateway': { atMost: 350 } } }),
        await neighbours.apollo(body),
        await neighbours.bare(body),
      ],
      rounds,
    );
  } finally {
    await neighbours.stop();
  }
}

async function runPage({ rig: getRig, rounds }: Bench): Promise<Figure[]> {
  const rig = await getRig();
  const different = inTurn(await differentPages(rig));
  const answer = JSON.stringify(await rig.graph(PAGE_OF_STOCKS));
  const neighbours = await startReferences(rig, answer);
  try {
    return await measureLoads(
      [gatewayLoad(rig, 'page', different), await neighbours.apollo(different)],
      rounds,
    );
  } finally {
    await neighbours.stop();
  }
}

export const reads: readonly BenchCase[] = [
  {
    name: 'list',
    about:
      '50 orders with their stocks, 20 connections, compared with @apollo/gateway and a bare server',
    run: runList,
  },
  {
    name: 'list-with-orders',
    about: 'the same list over 20 connections, with 50 concurrent orders per second',
    run: runSameWithOrders,
  },
  { name: 'hot', about: 'the same list over 100 connections', run: runHot },
  { name: 'stock', about: 'a single stock by id, 20 connections', run: runStock },
  { name: 'page', about: '20 stocks with 5 orders each, 20 connections', run: runPage },
];
