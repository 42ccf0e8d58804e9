import type { Checks } from '@gudang/testing/checks';
import { createRandom, type Random, seedOf } from '@gudang/testing/random';
import type { ServiceProcess } from '@gudang/testing/system/service-process';
import { GENES, type Genome, generateDocument } from './generate-document.ts';
import { ALL_LIMIT_MS, ANSWER_LIMIT_BYTES, type Cost, costOf, rowOf } from './measure-costs.ts';

/** Documents that are generated at random before the search follows the best ones. */
const RANDOM_START = 0.4;
/** Number of the best documents whose genomes are varied. */
const PARENTS = 5;
const REPEATS = 3;
const SHOWN_CHARACTERS = 1_500;

interface Candidate {
  readonly genome: Genome;
  /** Seed of the document's random choices. */
  readonly shape: number;
  readonly document: string;
  readonly cost: Cost;
}

/** The figure that a search maximizes. */
const GOALS: Readonly<Record<string, (cost: Cost) => number>> = {
  'CPU time': ({ cpuMs }) => cpuMs,
  'bytes of the answer': ({ bytesOut }) => bytesOut,
  'bytes out per byte in': ({ bytesIn, bytesOut }) => bytesOut / bytesIn,
};

/**
 * Searches for the costliest documents: starts from random ones, and varies the best of them. The
 * same seed gives the same first documents; later ones depend on the measurements.
 */
export async function searchCosts(
  checks: Checks,
  gateway: ServiceProcess,
  { requests, seed }: { requests: number; seed: number },
): Promise<void> {
  for (const [goal, scoreOf] of Object.entries(GOALS)) {
    const random = createRandom(seedOf(seed, goal));
    const best = await search(gateway, random, { requests, scoreOf });
    // The measurement of the best document is repeated, because the highest of many measurements
    // includes the highest disturbance.
    const [first] = best;
    if (!first) throw new Error('no document was measured');
    const costs: Cost[] = [];
    for (let count = 0; count < REPEATS; count += 1) {
      const document = first.document.replace(/^query G\d+/, `query R${count}`);
      costs.push(await costOf(gateway, `most ${goal}`, { query: document }));
    }
    const [least] = costs.sort((one, other) => one.cpuMs - other.cpuMs);
    if (!least) continue;
    checks.print(rowOf(least));
    checks.print(`  ${first.document.slice(0, SHOWN_CHARACTERS)}`);
    checks.verify(
      `most ${goal} in ${requests} generated documents: at most ${ALL_LIMIT_MS} ms and ${ANSWER_LIMIT_BYTES} bytes`,
      least.cpuMs <= ALL_LIMIT_MS && least.bytesOut <= ANSWER_LIMIT_BYTES,
      `${least.cpuMs.toFixed(0)} ms, ${least.bytesOut} bytes, × ${(least.bytesOut / least.bytesIn).toFixed(0)}`,
    );
  }
}

async function search(
  gateway: ServiceProcess,
  random: Random,
  { requests, scoreOf }: { requests: number; scoreOf: (cost: Cost) => number },
): Promise<Candidate[]> {
  let best: Candidate[] = [];
  for (let number = 0; number < requests; number += 1) {
    const isStart = number < requests * RANDOM_START || best.length === 0;
    const parent = isStart ? undefined : random.pick(best);
    const genome = parent ? varied(random, parent.genome) : anyGenome(random);
    const shape = parent && random.chance(0.7) ? parent.shape : number;
    const document = generateDocument(createRandom(seedOf(shape, 'shape')), genome, number);
    const cost = await costOf(gateway, 'generated', { query: document });
    const worst = best.at(-1);
    if (worst && best.length >= PARENTS && scoreOf(cost) <= scoreOf(worst.cost)) continue;
    // One measurement may include a garbage collection, so a good candidate is measured again.
    const again = await costOf(gateway, 'generated', {
      query: document.replace(/^query G/, 'query H'),
    });
    const least = again.cpuMs < cost.cpuMs ? again : cost;
    best.push({ genome, shape, document, cost: least });
    best = best.sort((one, other) => scoreOf(other.cost) - scoreOf(one.cost)).slice(0, PARENTS);
  }
  return best;
}

function anyGenome(random: Random): Genome {
  const genes = GENES.map((gene) => [gene, random.chance(0.5) ? 0 : random.next()]);
  return Object.fromEntries(genes);
}

/** Changes one to three genes by a small or a large step. */
function varied(random: Random, genome: Genome): Genome {
  const changed: Record<string, number> = { ...genome };
  for (const gene of random.shuffled(GENES).slice(0, random.between(1, 3))) {
    const step = (random.next() - 0.5) * random.pick([0.1, 0.5]);
    changed[gene] = Math.min(1, Math.max(0, (changed[gene] ?? 0) + step));
  }
  return changed as Genome;
}
