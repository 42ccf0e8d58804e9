/**
 * Cuts the connections of @gudang/client at random bytes while stocks change and processes are killed, and
 * checks that its subscribers and lists miss nothing, show nothing twice and go no step back.
 * Usage: `npm run client:try -- [--cuts N] [--seconds N] [--bytes N] [--clients N] [--rate N] [--offline N] [--protocol NAME] [--seed N]`
 *
 * - `--cuts` (1000): number of cuts of each protocol
 * - `--seconds` (60): shortest duration; the growth of the heap is checked from 300 on
 * - `--bytes` (20000): mean number of bytes that a client receives before its connection is cut
 * - `--clients` (8): number of clients of each protocol, beside one with a list
 * - `--rate` (200): changes per second
 * - `--offline` (0): number of changes during which all clients of one protocol are offline, the protocols in turn.
 *   After more than 10,000, they receive a snapshot
 * - `--protocol` (all): `websocket`, `sse` or `multipart`, which may be repeated
 */
import { parseArgs } from 'node:util';
import { createChecks } from '@gudang/testing/checks';
import { SECURED } from '@gudang/testing/clients/callers';
import { withBenchSystem } from '@gudang/testing/system/bench-system';
import type { System } from '@gudang/testing/system/system';
import { PROTOCOLS, type Protocol } from './cut-subjects.ts';
import { runCuts } from './run-cuts.ts';

const MAX_HEAP_SLOPE_MIB = 1;

const { values } = parseArgs({
  options: {
    cuts: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '60' },
    bytes: { type: 'string', default: '20000' },
    clients: { type: 'string', default: '8' },
    rate: { type: 'string', default: '200' },
    offline: { type: 'string', default: '0' },
    protocol: { type: 'string', multiple: true, default: [...PROTOCOLS] },
    seed: { type: 'string', default: '1' },
  },
});
const unknown = values.protocol.find((one) => !PROTOCOLS.includes(one as Protocol));
if (unknown) throw new Error(`--protocol ${unknown}: allowed are ${PROTOCOLS.join(', ')}`);

const checks = createChecks();
const run = async (system: System): Promise<void> => {
  const done = await runCuts(system, {
    protocols: values.protocol as Protocol[],
    cuts: Number(values.cuts),
    seconds: Number(values.seconds),
    clients: Number(values.clients),
    stocks: 40,
    perSecond: Number(values.rate),
    offlineChanges: Number(values.offline),
    meanBytes: Number(values.bytes),
    killEveryMs: 15_000,
    kills: 2,
    tokenSeconds: 10,
    seed: Number(values.seed),
    onProgress: checks.print,
  });
  const { changes, heapSlope, kills, seconds, unanswered } = done;
  checks.print(
    `${changes} changes in ${seconds.toFixed(0)} s (${(changes / seconds).toFixed(0)}/s), ${kills} kills, ${unanswered} batches unanswered`,
  );
  for (const result of done.results) {
    const { conflated, cuts, events, protocol, refusedTokens, rows, snapshots } = result;
    const share = ((100 * rows) / events).toFixed(2);
    checks.verify(
      `${protocol}: nothing is lost, shown twice or older, and all clients end with the database's state`,
      result.violations.length === 0 && cuts >= Number(values.cuts),
      `${cuts} cuts, ${events} events, ${conflated} conflated, ${snapshots} snapshots with ${share} % of the events, ${refusedTokens} expired tokens`,
    );
    for (const violation of result.violations) checks.print(`  ${violation}`);
  }
  if (!Number.isNaN(heapSlope)) {
    checks.verify(
      `the heap grows by at most ${MAX_HEAP_SLOPE_MIB} MiB in 10 minutes`,
      heapSlope <= MAX_HEAP_SLOPE_MIB,
      `${heapSlope.toFixed(2)} MiB`,
    );
  }
};
// The subject is the client, so the database need not wait for the disk.
await withBenchSystem({ environment: { all: SECURED } }, run, {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
});
