import { stdout } from 'node:process';

/**
 * Prints the assertions of a benchmark as they are evaluated; a failed assertion sets the exit code
 * to 1.
 */
export interface Checks {
  readonly verify: (what: string, holds: boolean, seen: string) => void;
  readonly print: (line: string) => void;
}

export function createChecks(): Checks {
  return {
    print: (line) => void stdout.write(`${line}\n`),
    verify: (what, holds, seen) => {
      if (!holds) process.exitCode = 1;
      stdout.write(`${holds ? 'holds ' : 'FAILS '} ${what}: ${seen}\n`);
    },
  };
}

/** Returns the quantile `share` (from 0 to 1) of the values; NaN if there are no values. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
