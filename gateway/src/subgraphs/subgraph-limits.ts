import { text } from '@gudang/runtime/settings';

/** When a circuit breaker opens, and for how long. */
export interface BreakerLimits {
  /** Number of failures from which the breaker may open; 0 if it never opens. */
  readonly failures: number;
  /** Part of the requests that must have failed, from 0 to 1. */
  readonly share: number;
  /** Time in which the failures must occur, in milliseconds. */
  readonly windowMs: number;
  /** Time after which one query may try whether the subgraph answers again, in milliseconds. */
  readonly pauseMs: number;
}

/** Limits of the requests to one subgraph. */
export interface SubgraphLimits {
  /** Time-out of a request with its retries, in milliseconds. */
  readonly timeoutMs: number;
  /** Maximum number of retries of a query. Mutations are never retried. */
  readonly retries: number;
  /** Maximum number of HTTP connections. */
  readonly sockets: number;
  /** Maximum number of requests that wait for a connection. */
  readonly queue: number;
  readonly breaker: BreakerLimits;
}

/** The numbers of the setting, as an operator writes them. */
type LimitNumbers = Readonly<Record<keyof typeof RANGES, number>>;

/** Allowed numbers, inclusive, and the default. The default of `timeoutMs` is a setting of its own. */
const RANGES = {
  timeoutMs: [10, 300_000, 10_000],
  retries: [0, 5, 1],
  sockets: [1, 1_024, 64],
  queue: [0, 100_000, 2_000],
  breakerFailures: [0, 10_000, 5],
  breakerPercent: [1, 100, 50],
  breakerWindowMs: [100, 600_000, 5_000],
  breakerPauseMs: [10, 600_000, 1_000],
} as const;

/** The name that means all other subgraphs. */
const ALL = '*';

/** Limits by the name of the subgraph; `*` has those of all others. */
export type GivenLimits = ReadonlyMap<string, Partial<LimitNumbers>>;

const ALLOWED = `name:limit=number,…, several separated by semicolons, * for all other subgraphs; the limits are ${Object.entries(
  RANGES,
)
  .map(([name, [min, max]]) => `${name} (${min} to ${max})`)
  .join(', ')}`;

/** Parses `name:limit=number,limit=number;name:…`. Spaces are ignored. */
export const subgraphLimits = text
  .superRefine((value, context) => {
    const problem = readLimits(value).problem;
    if (problem !== undefined) context.addIssue(`${problem}${ALLOWED}`);
  })
  .transform((value): GivenLimits => readLimits(value).limits);

function readLimits(value: string): { readonly limits: GivenLimits; readonly problem?: string } {
  const limits = new Map<string, Partial<LimitNumbers>>();
  const parts = value.split(';').map((part) => part.replaceAll(/\s/g, ''));
  for (const part of parts.filter((one) => one !== '')) {
    const [, name, pairs] = /^(\*|[\w-]+):(.+)$/.exec(part) ?? [];
    if (name === undefined || pairs === undefined) return { limits, problem: '' };
    if (limits.has(name)) return { limits, problem: `${name} is given twice; allowed: ` };
    const numbers: Partial<Record<keyof LimitNumbers, number>> = {};
    for (const pair of pairs.split(',')) {
      const [, limit = '', digits = ''] = /^(\w+)=(\d{1,9})$/.exec(pair) ?? [];
      const problem = problemOf(limit, Number(digits));
      if (problem !== undefined) return { limits, problem: `${pair} of ${name} ${problem}: ` };
      numbers[limit as keyof LimitNumbers] = Number(digits);
    }
    limits.set(name, numbers);
  }
  return { limits };
}

function problemOf(limit: string, given: number): string | undefined {
  if (!Object.hasOwn(RANGES, limit)) return 'is not a limit';
  const [min, max] = RANGES[limit as keyof typeof RANGES];
  return given < min || given > max ? `is not from ${min} to ${max}` : undefined;
}

/** Names of the subgraphs to which limits were given. */
export function namesOf(given: GivenLimits): readonly string[] {
  return [...given.keys()].filter((name) => name !== ALL);
}

/**
 * Returns the limits of a subgraph: its own, those of all subgraphs, or the defaults.
 * @param timeoutMs the default time-out
 * @param name as given in the setting, without regard to case
 */
export function limitsOf(name: string, given: GivenLimits, timeoutMs: number): SubgraphLimits {
  const own = [...given].find(([asked]) => asked.toLowerCase() === name.toLowerCase())?.[1];
  const numbers = { timeoutMs, ...given.get(ALL), ...own };
  const of = (limit: keyof LimitNumbers): number => numbers[limit] ?? RANGES[limit][2];
  return {
    timeoutMs: of('timeoutMs'),
    retries: of('retries'),
    sockets: of('sockets'),
    queue: of('queue'),
    breaker: {
      failures: of('breakerFailures'),
      share: of('breakerPercent') / 100,
      windowMs: of('breakerWindowMs'),
      pauseMs: of('breakerPauseMs'),
    },
  };
}
