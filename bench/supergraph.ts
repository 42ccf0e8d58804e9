/**
 * Changes a supergraph at a URL while clients are subscribed: every client must receive every event
 * once. In between, a broken supergraph is published, and the registry is unavailable. Afterwards, a
 * gateway starts without the registry. `npm run bench:supergraph -- [clients] [changes]` takes a
 * minute.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argv } from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { createChecks, quantile } from '@gudang/testing/checks';
import { eventually } from '@gudang/testing/eventually';
import { type Child, startChild, startGateway } from './live/child.ts';
import { startRegistry } from './supergraph/registry.ts';

const CLIENTS = Number(argv[2] ?? 500);
const CHANGES = Number(argv[3] ?? 20);
const STREAMS = 50;
const EVENTS_PER_SECOND = 20;
const EVENT_MS = 1000 / EVENTS_PER_SECOND;
const BROKEN = 'type Query { broken: Int }';

interface Report {
  readonly started: number;
  readonly slowest: number;
  readonly events: number;
  readonly expected: number;
  readonly lost: number;
  readonly repeated: number;
  readonly other: readonly string[];
}

interface SubgraphState {
  readonly port: number;
  readonly streams: number;
  readonly subscribed: number;
}

const { print, verify } = createChecks();
const sdl = await readFile(new URL('live/supergraph.graphql', import.meta.url), 'utf8');
/** Supergraphs with different conflation keys, so that each change replaces all subscriptions. */
const variants = [sdl, sdl.replace('by: "item { id }"', 'by: "item { id } n"')] as const;
const variant = (number: number): string => variants[number % 2 === 0 ? 0 : 1];
const queries = Array.from(
  { length: STREAMS },
  (_, tag) => `subscription { ticked(tag: "${tag}") { n item { id } } }`,
);

async function changesOf(url: string): Promise<{ used: number; refused: number }> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const count = (outcome: string) =>
    Number(
      new RegExp(`supergraph_changes_total\\{.*outcome="${outcome}".*\\} (\\d+)`).exec(text)?.[1] ??
        0,
    );
  return { used: count('used'), refused: count('refused') };
}

/** Sends an event every 50 ms until it is stopped. @returns the number of events */
function startEvents(subgraph: Child) {
  let isStopped = false;
  const run = async (): Promise<number> => {
    let sent = 0;
    for (; !isStopped; sent += 1) {
      await subgraph.ask({ burst: 1 });
      await pause(EVENT_MS);
    }
    return sent;
  };
  const running = run();
  return async (): Promise<number> => {
    isStopped = true;
    return running;
  };
}

/**
 * Publishes all changes one after another. After every other change, it waits until all streams have
 * moved to the new supergraph; the other changes are replaced while streams move.
 * @returns the times until the changes were used, in milliseconds
 */
async function changeOften(
  url: string,
  registry: Awaited<ReturnType<typeof startRegistry>>,
  subgraph: Child,
): Promise<number[]> {
  const subscribed = async () => (await subgraph.ask<SubgraphState>({})).subscribed;
  const times: number[] = [];
  for (let change = 1; change <= CHANGES; change += 1) {
    if (change === Math.ceil(CHANGES / 3)) {
      registry.publish(BROKEN);
      await eventually(
        () => changesOf(url),
        ({ refused }) => refused === 1,
        { within: 30_000 },
      );
      print(`before change ${change}: a broken supergraph was refused`);
    }
    if (change === Math.ceil((2 * CHANGES) / 3)) {
      registry.setAvailable(false);
      await pause(3_000);
      registry.setAvailable(true);
      print(`before change ${change}: the registry was unavailable for 3 s`);
    }
    const before = await subscribed();
    const from = performance.now();
    registry.publish(variant(change));
    await eventually(
      () => changesOf(url),
      ({ used }) => used === change,
      { within: 60_000 },
    );
    times.push(performance.now() - from);
    if (change % 2 === 1) {
      await eventually(subscribed, (count) => count >= before + STREAMS, { within: 60_000 });
    }
  }
  return times;
}

async function measureStartWithoutRegistry(environment: Record<string, string>): Promise<void> {
  const from = performance.now();
  const gateway = await startGateway(environment);
  const startMs = performance.now() - from;
  try {
    const response = await fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ __typename }' }),
    });
    const text = await response.text();
    verify(
      'a gateway starts without the registry',
      text.includes('"Query"'),
      `${(startMs / 1000).toFixed(1)} s; it answers ${text.trim()}`,
    );
  } finally {
    await gateway.stop();
  }
}

async function measure(copies: string): Promise<void> {
  const running: { stop: () => Promise<void> }[] = [];
  const kept = <T extends { stop: () => Promise<void> }>(one: T): T => {
    running.push(one);
    return one;
  };
  try {
    const registry = kept(await startRegistry(variant(0)));
    const subgraph = kept(await startChild('subgraph.ts'));
    const { port } = await subgraph.ask<SubgraphState>({});
    const address = `http://127.0.0.1:${port}/graphql`;
    const environment = {
      SUPERGRAPH: registry.url,
      SUPERGRAPH_POLL_S: '1',
      SUPERGRAPH_COPIES: copies,
      SUBGRAPH_URLS: `ticks=${address},ratings=${address}`,
    };
    const gateway = await startGateway(environment);
    running.push(gateway);
    const clients = kept(await startChild('../supergraph/checked-clients.ts'));
    await clients.ask({
      open: { url: `${gateway.url.replace('http', 'ws')}/graphql`, count: CLIENTS, queries },
    });
    const report = () => clients.ask<Report>({ report: true });
    const stopEvents = startEvents(subgraph);
    await eventually(report, ({ started }) => started === CLIENTS, { within: 60_000 });
    const times = await changeOften(gateway.url, registry, subgraph);
    const sent = await stopEvents();
    const last = await eventually(report, ({ slowest }) => slowest === sent, {
      within: 60_000,
    }).catch(report);
    printResults(last, times, sent, await subgraph.ask<SubgraphState>({}));
    const { full, unchanged } = registry.answered;
    print(`the registry sent the supergraph ${full} times, and 304 ${unchanged} times`);
    await gateway.stop();
    running.splice(running.indexOf(gateway), 1);
    registry.setAvailable(false);
    await measureStartWithoutRegistry(environment);
  } finally {
    for (const one of running.reverse()) await one.stop();
  }
}

function printResults(
  { started, slowest, events, expected, lost, repeated, other }: Report,
  times: readonly number[],
  sent: number,
  { subscribed }: SubgraphState,
): void {
  const seconds = (share: number) => (quantile(times, share) / 1000).toFixed(1);
  print(`${started} clients of ${STREAMS} streams, ${times.length} changes, ${sent} events`);
  print(`from publication to use: median ${seconds(0.5)} s, at most ${seconds(1)} s`);
  verify(
    'every other change replaced all subscriptions',
    subscribed >= STREAMS * (1 + Math.ceil(times.length / 2)),
    `${subscribed} subscriptions at the subgraph`,
  );
  verify('no event was lost', lost === 0 && events >= expected, `${lost} of ${expected}`);
  verify('no event was repeated', repeated === 0, `${repeated}`);
  verify('every client has the last event', slowest === sent, `${slowest} of ${sent}`);
  verify('no client was closed or got an error', other.length === 0, other.join('; ') || 'none');
}

const copies = await mkdtemp(join(tmpdir(), 'copies-'));
await measure(copies).finally(() => rm(copies, { recursive: true }));
