import { RequestError } from '../errors/request-error.ts';

/** What each limit counts, in words that fit before "is 21". */
const COUNTED = {
  body: "The request's size in bytes",
  nesting: "The request's nesting",
  tokens: "The operation's number of tokens",
  depth: "The operation's depth",
  aliases: "The operation's number of aliases",
  rootFields: "The operation's number of root fields",
  directives: "The operation's number of directives",
  fragments: "The operation's number of spread fragments",
  cost: "The operation's cost",
  operations: "The connection's number of running operations",
  connections: 'The number of connections',
  addressConnections: 'The number of connections of your address',
} as const;

export type LimitName = keyof typeof COUNTED;

/** The largest figure that is told: beyond it, it says "more than". */
const TOLD_UP_TO = 1_000_000_000;

/** A request that is larger than it may be; the same message whatever the limit. */
export class LimitExceeded extends RequestError {
  /** @param more whether the figure is that or more, since counting on would cost too much */
  constructor(
    limit: LimitName,
    {
      actual,
      max,
      more = false,
      status = 400,
    }: { actual: number; max: number; more?: boolean; status?: number },
  ) {
    const told = Math.min(actual, TOLD_UP_TO);
    const figure = `${more || told < actual ? 'more than ' : ''}${told.toLocaleString('en')}`;
    super(
      status,
      `${COUNTED[limit]} is ${figure}, above the limit of ${max.toLocaleString('en')}`,
      { code: 'LIMIT_EXCEEDED', limit, max, actual: told },
    );
  }
}
