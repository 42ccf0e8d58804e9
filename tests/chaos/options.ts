import { parseArgs } from 'node:util';

export interface Options {
  /** Names of faults; all when there are none. */
  readonly faults: readonly string[];
  readonly seed: number;
  /** Goes on for so long, round after round, each with another seed; one round when undefined. */
  readonly minutes: number | undefined;
  readonly short: boolean;
  readonly list: boolean;
}

export const USAGE = `npm run chaos -- [<fault> …] [--seed N] [--minutes M] [--short] [--list]`;

/** @throws {Error} that says what is allowed */
export function readOptions(given: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...given],
    allowPositionals: true,
    options: {
      seed: { type: 'string' },
      minutes: { type: 'string' },
      short: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
    },
  });
  const number = (name: 'seed' | 'minutes', least: number): number | undefined => {
    const text = values[name];
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!Number.isFinite(value) || value < least) {
      throw new Error(`--${name} ${text}: a number from ${least} is allowed`);
    }
    return value;
  };
  return {
    faults: positionals,
    seed: Math.trunc(number('seed', 0) ?? 1),
    minutes: number('minutes', 0),
    short: values.short,
    list: values.list,
  };
}
