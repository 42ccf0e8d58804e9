import { setTimeout as pause } from 'node:timers/promises';
import v8 from 'node:v8';
import vm from 'node:vm';
import { signToken } from '@gudang/auth/testing';
import { dataOf, graphAt } from '@gudang/testing/clients/graph-client';
import { eventually } from '@gudang/testing/eventually';
import { createRandom } from '@gudang/testing/random';
import type { ServiceProcess } from '@gudang/testing/system/service-process';
import type { System } from '@gudang/testing/system/system';
import {
  type CutSubjects,
  type ListedStock,
  type Protocol,
  startCutSubjects,
} from './cut-subjects.ts';
import { startStockChanges } from './stock-changes.ts';

export interface CutOptions {
  readonly protocols: readonly Protocol[];
  /** Number of cuts of each protocol. */
  readonly cuts: number;
  /** Shortest duration of the cuts, in seconds. */
  readonly seconds: number;
  /** Clients of each protocol beside the one with the list. */
  readonly clients: number;
  readonly stocks: number;
  /** Changes per second. */
  readonly perSecond: number;
  /** Mean number of bytes that a client receives before its connection is cut. */
  readonly meanBytes: number;
  /** Time between two kills, of the gateway and the stock subgraph in turn, in milliseconds. */
  readonly killEveryMs: number;
  /** Lowest number of kills. */
  readonly kills: number;
  readonly tokenSeconds: number;
  /**
   * Number of changes during which all clients of one protocol are offline, the protocols in turn; 0: they are
   * never offline. After more than 10,000 changes, they receive a snapshot.
   */
  readonly offlineChanges?: number;
  readonly seed: number;
  /** Called once per second. */
  readonly onProgress?: (line: string) => void;
}

/** What the clients of one protocol have seen. */
export interface CutResult {
  readonly protocol: Protocol;
  readonly cuts: number;
  readonly events: number;
  /** Number of events in snapshots. */
  readonly rows: number;
  readonly snapshots: number;
  readonly conflated: number;
  /** Number of tokens that were requested because one had expired at the gateway. */
  readonly refusedTokens: number;
  /** What must not happen; empty if all holds. */
  readonly violations: readonly string[];
}

export interface CutRun {
  readonly results: readonly CutResult[];
  readonly changes: number;
  /** Number of batches of changes that were not answered, as on a machine that is too busy. */
  readonly unanswered: number;
  readonly kills: number;
  readonly seconds: number;
  /** Growth of this process's heap in MiB per 10 minutes; NaN for a run of less than five minutes. */
  readonly heapSlope: number;
}

/**
 * Time-out for the clients to catch up after the last cut. The catch-ups of all clients together take at most
 * a quarter of the gateway's time, so clients that were cut after every 70 events may be far behind.
 */
const SETTLES_WITHIN_MS = 180_000;
/** Time-out of a restart, which takes a second on an idle machine. */
const READY_WITHIN_MS = 120_000;
const HEAP_EVERY_MS = 5_000;
const OFFLINE_CHECK_MS = 100;
/** Time between two protocols that are offline, in milliseconds. */
const BETWEEN_OFFLINE_MS = 5_000;
/** Shortest run whose heap shows a growth: in a shorter one, the queues of the clients dominate. */
const HEAP_AFTER_MS = 300_000;

/**
 * Cuts the connections of clients at random bytes, while stocks change and the gateway and the stock subgraph
 * are killed in turn, and then compares what the clients have seen with the database. The system accepts the
 * tokens of `SECURED`.
 */
export async function runCuts(system: System, options: CutOptions): Promise<CutRun> {
  const { protocols, stocks, perSecond, seed } = options;
  const random = createRandom(seed);
  const token = await signToken({ sub: 'Siti', scope: 'stock:write' });
  const graph = graphAt(() => `${system.gateway.url}/graphql`, `Bearer ${token}`);
  const { stockCursor: after } = await dataOf(graph('{ stockCursor }'));
  const { port } = system.gateway;
  const subjects = await Promise.all(
    protocols.map((protocol) => startCutSubjects({ ...options, protocol, port, after })),
  );
  try {
    const ids = Array.from({ length: stocks }, (_, index) => `s${index}`);
    const inputs = ids.map((id, index) => ({ id, name: `kopi ${index % 7}`, quantity: 1_000_000 }));
    const ADD =
      'mutation ($inputs: [AddStockInput!]!) { addStocks(inputs: $inputs) { error { code } } }';
    await dataOf(graph(ADD, { inputs }));
    const changes = startStockChanges(graph, { ids, perSecond, random });
    const stopping = new AbortController();
    const { offlineChanges = 0 } = options;
    const goingOffline =
      offlineChanges > 0
        ? goOfflineInTurn(subjects, offlineChanges, changes.made, stopping.signal)
        : undefined;
    const done = await cutUntilDone(system, subjects, options);
    stopping.abort();
    await goingOffline;
    await changes.stop();
    for (const { proxy } of subjects) proxy.calm();
    const results = await Promise.all(subjects.map((one) => judge(system, one)));
    return { ...done, results, changes: changes.made(), unanswered: changes.unanswered() };
  } finally {
    await Promise.all(subjects.map((one) => one.stop()));
  }
}

async function cutUntilDone(
  system: System,
  subjects: readonly CutSubjects[],
  { cuts, kills: minKills, seconds, killEveryMs, onProgress = () => {} }: CutOptions,
): Promise<Pick<CutRun, 'kills' | 'seconds' | 'heapSlope'>> {
  const since = performance.now();
  const stopping = new AbortController();
  const killed = { count: 0 };
  const parts = [system.gateway, system.stock];
  const killing = killInTurn(parts, killEveryMs, stopping.signal, killed);
  // It is awaited at the end.
  killing.catch(() => {});
  const heap: { readonly at: number; readonly bytes: number }[] = [];
  const isDone = (): boolean =>
    performance.now() - since >= seconds * 1_000 &&
    killed.count >= minKills &&
    subjects.every(({ proxy }) => proxy.cuts() >= cuts);
  for (let tick = 0; !isDone(); tick += 1) {
    await pause(1_000);
    if (tick % (HEAP_EVERY_MS / 1_000) === 0) {
      heap.push({ at: performance.now(), bytes: heapBytes() });
    }
    const counts = subjects.map(({ protocol, proxy }) => `${protocol} ${proxy.cuts()}`);
    onProgress(`${tick + 1} s, cuts: ${counts.join(', ')}, heap: ${heap.at(-1)?.bytes} bytes`);
  }
  stopping.abort();
  await killing;
  return {
    kills: killed.count,
    seconds: (performance.now() - since) / 1_000,
    heapSlope: slopeOf(heap),
  };
}

/** Lets the clients of each protocol be offline, until a number of changes is made. */
async function goOfflineInTurn(
  subjects: readonly CutSubjects[],
  changes: number,
  made: () => number,
  signal: AbortSignal,
): Promise<void> {
  for (let turn = 0; !signal.aborted; turn += 1) {
    const { proxy } = subjects[turn % subjects.length] as CutSubjects;
    const until = made() + changes;
    proxy.setOffline(true);
    while (made() < until && !signal.aborted) await pause(OFFLINE_CHECK_MS);
    proxy.setOffline(false);
    // Others wait until the snapshot is sent.
    await pause(BETWEEN_OFFLINE_MS, undefined, { signal }).catch(() => {});
  }
}

/** Kills the processes in turn with SIGKILL, and restarts each of them. @param killed counts the kills */
async function killInTurn(
  parts: readonly ServiceProcess[],
  everyMs: number,
  signal: AbortSignal,
  killed: { count: number },
): Promise<void> {
  for (;;) {
    await pause(everyMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    const part = parts[killed.count % parts.length] as ServiceProcess;
    killed.count += 1;
    await part.restart();
    await part.ready(READY_WITHIN_MS);
  }
}

async function judge(system: System, subjects: CutSubjects): Promise<CutResult> {
  const { protocol, checkers, errors, list, proxy } = subjects;
  const rows = await system.databases.stock(
    'SELECT id, name, quantity, version FROM stocks WHERE deleted_at IS NULL ORDER BY name COLLATE "C", id COLLATE "C"',
  );
  const stored = rows as unknown as readonly ListedStock[];
  const violations = checkers.flatMap((one) => one.violations).concat(errors);
  const differing = (): string[] => [
    ...checkers.flatMap(({ versions }, index) =>
      stored
        .filter(({ id, version }) => versions.get(id) !== version)
        .map(({ id }) => `client ${index} ends with ${id} at ${versions.get(id)}`),
    ),
    ...(list ? differencesOf(list.get().items, stored) : []),
  ];
  const left = await eventually(
    async () => {
      if (list?.get().hasMore && !list.get().loading) await list.loadMore();
      return differing();
    },
    (all) => all.length === 0,
    { within: SETTLES_WITHIN_MS },
  ).catch(differing);
  const sum = (of: (checker: (typeof checkers)[number]) => number): number =>
    checkers.reduce((total, one) => total + of(one), 0);
  return {
    protocol,
    cuts: proxy.cuts(),
    events: sum(({ events }) => events),
    rows: sum((one) => one.rows),
    snapshots: sum((one) => one.snapshots),
    conflated: sum(({ conflated }) => conflated),
    refusedTokens: subjects.refusedTokens(),
    violations: [...violations, ...left, ...(left.length > 0 ? subjects.states() : [])],
  };
}

function differencesOf(items: readonly ListedStock[], stored: readonly ListedStock[]): string[] {
  const textOf = ({ id, name, quantity, version }: ListedStock): string =>
    `${id} ${name} ${quantity} ${version}`;
  const [shown, expected] = [items.map(textOf), stored.map(textOf)];
  const differs = expected.findIndex((text, index) => shown[index] !== text);
  if (differs < 0 && shown.length === expected.length) return [];
  return [
    `the list shows ${shown.length} of ${expected.length} stocks, at ${differs} "${shown[differs]}" instead of "${expected[differs]}"`,
  ];
}

let collect: (() => void) | undefined;

/**
 * Returns the size of this process's live data. V8 compiles code until long after the start: within five
 * minutes, 0.7 MiB of code was added, while the data shrank.
 */
function heapBytes(): number {
  if (!collect) {
    v8.setFlagsFromString('--expose-gc');
    collect = vm.runInNewContext('gc') as () => void;
  }
  collect();
  const { code_and_metadata_size: code, bytecode_and_metadata_size: bytecode } =
    v8.getHeapCodeStatistics();
  return process.memoryUsage().heapUsed - code - bytecode;
}

/** Fits a line to the heap's size, without the first quarter of the run. @returns MiB per 10 minutes */
function slopeOf(heap: readonly { readonly at: number; readonly bytes: number }[]): number {
  const steady = heap.slice(Math.ceil(heap.length / 4));
  const lasted = (heap.at(-1)?.at ?? 0) - (heap[0]?.at ?? 0);
  // The last sample is up to one interval older than the end of the run.
  if (lasted + HEAP_EVERY_MS < HEAP_AFTER_MS) return Number.NaN;
  const meanAt = mean(steady.map(({ at }) => at));
  const meanBytes = mean(steady.map(({ bytes }) => bytes));
  const above = steady.reduce((sum, { at, bytes }) => sum + (at - meanAt) * (bytes - meanBytes), 0);
  const below = steady.reduce((sum, { at }) => sum + (at - meanAt) ** 2, 0);
  return ((above / below) * 600_000) / 2 ** 20;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
