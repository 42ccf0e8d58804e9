/**
 * Sends hostile inputs to a whole system: HTTP requests, documents, websocket frames, Kafka records,
 * REST requests, tokens and cursors. A seed determines all cases.
 * Usage: `npm run fuzz -- [--seed N] [--cases N] [--from N]`
 */
import { parseArgs } from 'node:util';
import { createChecks } from '@gudang/testing/checks';
import { INSPECTABLE, inspect, mebibytes } from '@gudang/testing/process-inspector';
import { withBenchSystem } from '@gudang/testing/system/bench-system';
import { fullAuthorization, HARDENED } from './case.ts';
import { fillCaches } from './fill-caches.ts';
import { growthPerCase, type Sample } from './memory-growth.ts';
import { runFuzz } from './run-fuzz.ts';

/** Number of cases between two memory samples. */
const SAMPLE_EVERY = 500;
/**
 * Maximum memory growth of a process in the later half of the run, in bytes per case. A leak of one
 * text, token or connection per case would be far larger.
 */
const GROWTH_LIMIT = 512;
/** Minimum number of samples from which growth can be estimated. */
const MIN_SAMPLES = 6;
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
      const count = Math.min(SAMPLE_EVERY, cases - done);
      findings.push(...(await runFuzz(target, { seed, cases: count, from: from + done })));
      done += count;
      const held = await Promise.all(inspected.map((process) => process.collected()));
      PROCESSES.forEach((name, index) => {
        const { heapUsed = 0, external = 0 } = held[index] ?? {};
        samples[name].push({ cases: done, bytes: heapUsed + external });
      });
      const memory = PROCESSES.map(
        (name) => `${name} ${mebibytes(samples[name].at(-1)?.bytes ?? 0)}`,
      );
      checks.print(`${done} cases; memory after garbage collection: ${memory.join(', ')}`);
    }
    for (const process of inspected) process.close();
    for (const finding of findings) checks.print(finding);
    // The logs contain the details of each internal error, with the error's id.
    if (findings.length > 0) checks.print(system.logs(200));
    checks.verify(
      'no crash, no 5xx except load shedding, no internals revealed',
      findings.length === 0,
      `${findings.length} findings in ${cases} cases with seed ${seed}`,
    );
    // A short run, for example to reproduce a finding, has too few samples.
    if (samples.gateway.length < MIN_SAMPLES) return;
    for (const name of PROCESSES) {
      const growth = growthPerCase(samples[name]);
      checks.verify(
        `the memory of ${name} does not grow`,
        growth < GROWTH_LIMIT,
        `${growth.toFixed(0)} bytes per case in the later half`,
      );
    }
  },
);
