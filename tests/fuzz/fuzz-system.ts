import type { Checks } from '@gudang/testing/checks';
import { INSPECTABLE, type Inspected, inspect, mebibytes } from '@gudang/testing/process-inspector';
import { withBenchSystem } from '@gudang/testing/system/bench-system';
import { fullAuthorization, HARDENED } from './case.ts';
import { fillCaches } from './fill-caches.ts';
import { growthPerCase, type Sample } from './memory-growth.ts';
import { type FuzzOptions, runFuzz } from './run-fuzz.ts';

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

/**
 * Sends hostile inputs to a whole system: HTTP requests, documents, websocket frames, Kafka records,
 * REST requests, tokens and cursors. A seed determines all cases.
 */
export async function fuzzSystem(checks: Checks, options: FuzzOptions): Promise<void> {
  const environment = {
    all: { ...HARDENED.all, ...INSPECTABLE },
    gateway: HARDENED.gateway,
  };
  await withBenchSystem({ environment }, async (system) => {
    const { seed, cases, from = 0 } = options;
    const target = { system, authorization: await fullAuthorization() };
    const memory = await MemorySamples.of((name) => system[name].output);
    const findings: string[] = [];
    await fillCaches(system);
    for (let done = 0; done < cases; ) {
      const count = Math.min(SAMPLE_EVERY, cases - done);
      findings.push(...(await runFuzz(target, { seed, cases: count, from: from + done })));
      done += count;
      checks.print(`${done} cases; memory after garbage collection: ${await memory.take(done)}`);
    }
    for (const finding of findings) checks.print(finding);
    // The logs contain the details of each internal error, with the error's id.
    if (findings.length > 0) checks.print(system.logs(200));
    checks.verify(
      'no crash, no 5xx except load shedding, no internals revealed',
      findings.length === 0,
      `${findings.length} findings in ${cases} cases with seed ${seed}`,
    );
    memory.verify(checks);
  });
}

/** Memory of the services over the run. */
class MemorySamples {
  readonly #samples: readonly { name: string; inspected: Inspected; all: Sample[] }[];

  private constructor(samples: readonly { name: string; inspected: Inspected; all: Sample[] }[]) {
    this.#samples = samples;
  }

  static async of(outputOf: (name: (typeof PROCESSES)[number]) => () => string) {
    return new MemorySamples(
      await Promise.all(
        PROCESSES.map(async (name) => ({
          name,
          inspected: await inspect(outputOf(name)),
          all: [],
        })),
      ),
    );
  }

  /** Takes a sample of each process. @returns its description */
  async take(cases: number): Promise<string> {
    const shown = this.#samples.map(async ({ name, inspected, all }) => {
      const { heapUsed, external } = await inspected.collected();
      all.push({ cases, bytes: heapUsed + external });
      return `${name} ${mebibytes(heapUsed + external)}`;
    });
    return (await Promise.all(shown)).join(', ');
  }

  verify(checks: Checks): void {
    for (const { name, inspected, all } of this.#samples) {
      inspected.close();
      // A short run, for example to reproduce a finding, has too few samples.
      if (all.length < MIN_SAMPLES) continue;
      const growth = growthPerCase(all);
      checks.verify(
        `the memory of ${name} does not grow`,
        growth < GROWTH_LIMIT,
        `${growth.toFixed(0)} bytes per case in the later half`,
      );
    }
  }
}
