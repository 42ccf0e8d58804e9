import { stdout } from 'node:process';

/** What a bench has to show, told as it is found; the process's exit code says whether all held. */
export interface Verdict {
  readonly check: (what: string, holds: boolean, seen: string) => void;
  readonly say: (line: string) => void;
}

export function createVerdict(): Verdict {
  return {
    say: (line) => void stdout.write(`${line}\n`),
    check: (what, holds, seen) => {
      if (!holds) process.exitCode = 1;
      stdout.write(`${holds ? 'holds ' : 'FAILS '} ${what}: ${seen}\n`);
    },
  };
}

/** The value under which such a share of all lie; NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
