import { type BenchRig, startBenchRig } from '../suite/bench-rig.ts';
import { buildOf } from '../suite/build.ts';
import { startTextbook, TEXTBOOK } from './textbook-stack.ts';

/** A system with all its processes, its own PostgreSQL and the same rows, behind one graph. */
export interface Stack
  extends Pick<BenchRig, 'graphUrl' | 'graph' | 'stockIds' | 'readCpu' | 'settled' | 'stop'> {
  /** Column of the tables. */
  readonly name: string;
}

/** Earlier versions have no batches: they get a mutation with 100 root fields instead. */
const LIMITS = { LIMIT_ROOT_FIELDS: '100', LIMIT_TOKENS: '10000' };

/** A commit before most of the optimizations. */
const EARLIER = '370c245';

/**
 * Starts the systems that are measured beside `rig`.
 * @param names `textbook`, commits, or folders of built checkouts. Default: an earlier commit, which is left
 * out if it cannot be built here, and `textbook`
 * @throws {Error} if a named system cannot be built or started
 */
export async function startStacks(
  rig: BenchRig,
  names: readonly string[] | undefined,
  print: (line: string) => void,
): Promise<Stack[]> {
  const stacks: Stack[] = [];
  try {
    for (const name of names ?? [EARLIER, TEXTBOOK]) {
      print(`Starting ${name}`);
      if (name === TEXTBOOK) {
        stacks.push(await startTextbook(rig));
        continue;
      }
      const build = await buildOf(name, print).catch((error: Error) => {
        if (names) throw error;
        print(`${name} is left out: ${error.message}`);
      });
      if (!build) continue;
      const other = await startBenchRig({ environment: LIMITS, build, rowsOf: rig });
      stacks.push({ ...other, name });
    }
    return stacks;
  } catch (error) {
    for (const { stop } of stacks) await stop();
    throw error;
  }
}
