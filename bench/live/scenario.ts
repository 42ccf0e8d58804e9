import { type Child, startChild, startGateway, type Usage, usageOf } from './child.ts';

export interface Scenario {
  readonly name: string;
  readonly clients: number;
  readonly streams: number;
  /** Number of bursts per second and of events per burst. */
  readonly rate: number;
  readonly burst: number;
  readonly crossSubgraph: boolean;
}

export interface Figures {
  readonly deliveries: number;
  /** Expected number of deliveries. */
  readonly expected: number;
  readonly cpuUs: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly rssKib: number;
  readonly upstreams: number;
  readonly requestsAnEvent: number;
}

interface State {
  readonly port: number;
  readonly streams: number;
  readonly requests: number;
  readonly sent: number;
}

const WARM_UP_MS = 4_000;
/**
 * Ratio of the event rate during the warm-up to the measured rate. The higher rate makes V8 compile
 * the code of an event before the measurement begins.
 */
const WARM_UP_TIMES = 4;
const MEASURED_MS = 8_000;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function queriesOf({ streams, crossSubgraph }: Scenario): string[] {
  const item = crossSubgraph ? ' item { rating }' : '';
  return Array.from(
    { length: streams },
    (_, tag) => `subscription { ticked(tag: "${tag}") { n at text${item} } }`,
  );
}

/** Runs a scenario with the gateway, or with the bare broadcast of the same bytes. */
export async function run(scenario: Scenario, bare: boolean): Promise<Figures> {
  const running: { stop: () => Promise<void> }[] = [];
  const kept = <T extends { stop: () => Promise<void> }>(one: T): T => {
    running.push(one);
    return one;
  };
  try {
    const source = kept(await startChild(bare ? 'broadcast.ts' : 'subgraph.ts'));
    const { port } = await source.ask<State>({});
    const target = bare
      ? { pid: source.pid, url: `http://127.0.0.1:${port}` }
      : kept(await startGateway(environment(port)));
    const clients = [kept(await startChild('clients.ts')), kept(await startChild('clients.ts'))];
    await pause(300);
    const empty = await usageOf(target.pid);
    const count = scenario.clients / clients.length;
    const url = `${target.url.replace('http', 'ws')}/graphql`;
    const queries = queriesOf(scenario);
    await Promise.all(clients.map((one) => one.ask({ open: { url, count, queries } })));
    await pause(500);
    return await measure(scenario, { source, clients, pid: target.pid, empty });
  } finally {
    for (const one of running.reverse()) await one.stop();
  }
}

function environment(port: number): Record<string, string> {
  const url = `http://127.0.0.1:${port}/graphql`;
  return {
    SUPERGRAPH: new URL('supergraph.graphql', import.meta.url).pathname,
    SUBGRAPH_URLS: `ticks=${url},ratings=${url}`,
  };
}

interface Rig {
  readonly source: Child;
  readonly clients: readonly Child[];
  readonly pid: number;
  readonly empty: Usage;
}

async function measure(scenario: Scenario, rig: Rig): Promise<Figures> {
  const { source, clients, pid, empty } = rig;
  const fields = scenario.crossSubgraph ? ',"item":{"rating":5}' : '';
  let bursts = 0;
  const send = async (forMs: number, rate = scenario.rate): Promise<void> => {
    const from = performance.now();
    for (let due = from; due < from + forMs; due += 1000 / rate) {
      await pause(Math.max(0, due - performance.now()));
      await source.ask({ burst: scenario.burst, fields });
      bursts += 1;
    }
  };
  const reports = () =>
    Promise.all(
      clients.map((one) => one.ask<{ received: number; latencies: number[] }>({ report: true })),
    );
  await send(WARM_UP_MS, scenario.rate * WARM_UP_TIMES);
  // On a loaded machine, events of the warm-up may still be in flight.
  do await pause(500);
  while ((await reports()).some(({ received }) => received > 0));
  const before = { usage: await usageOf(pid), state: await source.ask<State>({}) };
  bursts = 0;
  const from = performance.now();
  await send(MEASURED_MS);
  await pause(300);
  const seconds = (performance.now() - from - 300) / 1000;
  const [usage, state, got] = [await usageOf(pid), await source.ask<State>({}), await reports()];
  const deliveries = got.reduce((sum, one) => sum + one.received, 0);
  const latencies = got.flatMap((one) => one.latencies).sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? Number.NaN;
  const events = bursts * scenario.burst;
  return {
    deliveries,
    expected: events * scenario.clients,
    cpuUs: ((usage.cpuMs - before.usage.cpuMs) * 1000) / deliveries,
    perSecond: deliveries / seconds,
    p50: at(0.5),
    p99: at(0.99),
    rssKib: (usage.rssKib - empty.rssKib) / scenario.clients,
    upstreams: state.streams,
    requestsAnEvent: (state.requests - before.state.requests) / (events * scenario.streams),
  };
}
