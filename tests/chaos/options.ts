import { parseArgs } from 'node:util';

export interface Options {
  /** Names of the faults to run. If empty, all faults run. */
  readonly faults: readonly string[];
  readonly seed: number;
  /** Minimum duration, until which rounds are repeated, each with the next seed. If undefined, one round runs. */
  readonly minutes: number | undefined;
  readonly short: boolean;
  readonly list: boolean;
  readonly help: boolean;
}

export const USAGE = `npm run chaos -- [<fault> …] [options]

  <fault> …      run only these faults; default: all
    --list         list the faults
    --seed N       seed of all random choices, an integer; default 1
    --minutes M    repeat rounds for at least M minutes, each with the next seed
    --short        fewer repetitions, as in npm test`;

/** The error for an invalid command line. Its message names the allowed values. */
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
    // Only the first sentence of Node's message is kept; the rest is about arguments that start with a dash.
    const [sentence] = (error as Error).message.split(/\. |\n/);
    throw new OptionsError(sentence);
  }
}
