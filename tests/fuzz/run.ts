/**
 * Hostile inputs at a whole system: HTTP requests, documents, websocket frames, Kafka records, REST,
 * tokens, cursors. `npm run fuzz -- [--seed N] [--cases N] [--from N]`; the same seed, the same cases.
 */
import { parseArgs } from 'node:util';
import { createChecks } from '@gudang/testing/checks';
import { INSPECTABLE, inspect, mebibytes } from '@gudang/testing/process-inspector';
import { withBenchSystem } from '@gudang/testing/system/bench-system';
import { fillCaches } from './fill-caches.ts';
import { growthPerCase, type Sample } from './plateau.ts';
import { runFuzz } from './run-fuzz.ts';
import { fullAuthorization, HARDENED } from './target.ts';

/** How often memory is looked at, in cases. */
const EVERY = 500;
/**
 * What a process may still grow by in its run's later half, in bytes a case: far below what keeping anything of a case
 * would take, such as its text, its token or its connection.
 */
const MAY_GROW = 512;
/** Samples by which growth is judged, at least. */
const ENOUGH = 6;
const PROCESSES = ['gateway', 'order', 'stock'] as const;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    cases: { type: 'string', default: '10000' },
    from: { type: 'string', default: '0' },
  },
});
const [seed, cases, from] = [values.seed, values.cases, values.from].map(Number) as [
  number,
  number,
  number,
];
const checks = createChecks();

await withBenchSystem(
  {
    environment: {
      all: { ...HARDENED.all, ...INSPECTABLE },
      gateway: HARDENED.gateway,
    },
  },
  async (system) => {
    const target = { system, authorization: await fullAuthorization() };
    const inspected = await Promise.all(PROCESSES.map((name) => inspect(system[name].output)));
    const samples: Record<(typeof PROCESSES)[number], Sample[]> = {
      gateway: [],
      order: [],
      stock: [],
    };
    const findings: string[] = [];
    await fillCaches(system);
    for (let done = 0; done < cases; ) {
      const count = Math.min(EVERY, cases - done);
      findings.push(...(await runFuzz(target, { seed, cases: count, from: from + done })));
      done += count;
      const held = await Promise.all(inspected.map((process) => process.collected()));
      PROCESSES.forEach((name, index) => {
        const { heapUsed = 0, external = 0 } = held[index] ?? {};
        samples[name].push({ cases: done, bytes: heapUsed + external });
      });
      const kept = PROCESSES.map(
        (name) => `${name} ${mebibytes(samples[name].at(-1)?.bytes ?? 0)}`,
      );
      checks.print(`${done} cases; kept after collection: ${kept.join(', ')}`);
    }
    for (const process of inspected) process.close();
    for (const finding of findings) checks.print(finding);
    // What the log has of an error under its id.
    if (findings.length > 0) checks.print(system.logs(200));
    checks.verify(
      'no crash, no 5xx but shedding, nothing told of the inside',
      findings.length === 0,
      `${findings.length} findings in ${cases} cases of seed ${seed}`,
    );
    // A few cases, run again by their numbers, say nothing of memory.
    if (samples.gateway.length < ENOUGH) return;
    for (const name of PROCESSES) {
      const growth = growthPerCase(samples[name]);
      checks.verify(
        `the memory of ${name} stays where it is`,
        growth < MAY_GROW,
        `${growth.toFixed(0)} bytes a case in the later half`,
      );
    }
  },
);
