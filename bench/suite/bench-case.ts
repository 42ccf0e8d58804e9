import type { Stack } from '../whole/stacks.ts';
import type { BenchRig } from './bench-rig.ts';
import type { Figure } from './figure.ts';
import type { renderCase } from './report.ts';

/** Number of rounds, and their durations in milliseconds. */
export interface Rounds {
  readonly count: number;
  readonly ms: number;
  readonly warmUpMs: number;
}

export interface Bench {
  readonly rounds: Rounds;
  readonly quick: boolean;
  /** The whole system with stocks and orders, started at the first call and shared by cases. */
  readonly rig: () => Promise<BenchRig>;
  /** The systems that are measured beside it, started at the first call and shared by cases. */
  readonly beside: () => Promise<readonly Stack[]>;
  /** Prints a progress line. */
  readonly print: (line: string) => void;
}

export interface BenchCase {
  readonly name: string;
  readonly about: string;
  /** Whether the case runs only if its full name is given. Set for cases that take long. */
  readonly onlyByName?: boolean;
  /** Formats the figures; default: as a list. */
  readonly render?: typeof renderCase;
  readonly run: (bench: Bench) => Promise<readonly Figure[]>;
}
