import { parseArgs } from 'node:util';

export interface Options {
  /** Names of faults; all when there are none. */
  readonly faults: readonly string[];
  readonly seed: number;
  /** Goes on for so long, round after round, each with another seed; one round when undefined. */
  readonly minutes: number | undefined;
  readonly short: boolean;
  readonly list: boolean;
  readonly help: boolean;
}

export const USAGE = `npm run chaos -- [<fault> …] [options]

  <fault> …      these faults only; all of them otherwise
  --list         names the faults
  --seed N       other random choices: a whole number, 1 unless given
  --minutes M    goes on for so long, round after round, each with the next seed
  --short        less of the same, as in npm test`;

/** What was typed is not allowed; the message says what is. */
export class OptionsError extends Error {
  override readonly name = 'OptionsError';
}

/** @throws {OptionsError} */
export function readOptions(given: readonly string[]): Options {
  const { values, positionals } = parse(given);
  const { seed = '1', minutes, ...flags } = values;
  if (!/^\d{1,9}$/.test(seed)) {
    throw new OptionsError(`--seed ${seed}: a whole number from 0 to 999999999 is allowed`);
  }
  if (minutes !== undefined && !(Number(minutes) > 0 && Number.isFinite(Number(minutes)))) {
    throw new OptionsError(`--minutes ${minutes}: a number above 0 is allowed, such as 0.5 or 30`);
  }
  return {
    faults: positionals,
    seed: Number(seed),
    minutes: minutes === undefined ? undefined : Number(minutes),
    ...flags,
  };
}

function parse(given: readonly string[]) {
  try {
    return parseArgs({
      args: [...given],
      allowPositionals: true,
      options: {
        seed: { type: 'string' },
        minutes: { type: 'string' },
        short: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    // Node's first sentence says what is wrong; the rest is about dashes.
    const [sentence] = (error as Error).message.split(/\. |\n/);
    throw new OptionsError(sentence);
  }
}
