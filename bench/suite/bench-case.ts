import type { BenchRig } from './bench-rig.ts';
import type { Figure } from './figure.ts';

/** How long and how often is measured. */
export interface Rounds {
  readonly count: number;
  readonly ms: number;
  readonly warmUpMs: number;
}

export interface Bench {
  readonly rounds: Rounds;
  readonly quick: boolean;
  /** The whole system with stocks and orders in it, started when first asked for and shared by cases. */
  readonly rig: () => Promise<BenchRig>;
  /** Tells what is under way. */
  readonly say: (line: string) => void;
}

export interface BenchCase {
  readonly name: string;
  readonly about: string;
  /** Takes so long that it runs only when it is named in full. */
  readonly onlyByName?: boolean;
  readonly run: (bench: Bench) => Promise<readonly Figure[]>;
}
