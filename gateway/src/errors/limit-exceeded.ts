import { RequestError } from './request-error.ts';

/** Subject of each limit's message. The message continues with "is 21, above the limit of 20". */
const COUNTED = {
  body: "The request's size in bytes",
  nesting: "The request's nesting",
  lines: "The operation's number of lines",
  tokens: "The operation's number of tokens",
  depth: "The operation's depth",
  aliases: "The operation's number of aliases",
  rootFields: "The operation's number of root fields",
  directives: "The operation's number of directives",
  fragments: "The operation's number of spread fragments",
  objectFields: "The operation's number of fields with a selection set",
  cost: "The operation's cost",
  answer: "The answer's size in bytes",
  forwardedHeaders: 'The size of the headers to forward in bytes',
  operations: "The connection's number of running operations",
  connections: 'The number of connections',
  addressConnections: 'The number of connections of your address',
} as const;

export type LimitName = keyof typeof COUNTED;

/** Largest reported figure. Larger figures are reported as "more than" this figure. */
const MAX_REPORTED = 1_000_000_000;

/** Error for a request above a limit. The message has the same form for every limit. */
export class LimitExceeded extends RequestError {
  /** @param more whether counting stopped at `actual`, so that the real figure is larger */
  constructor(
    limit: LimitName,
    {
      actual,
      max,
      more = false,
      status = 400,
    }: { actual: number; max: number; more?: boolean; status?: number },
  ) {
    const reported = Math.min(actual, MAX_REPORTED);
    const figure = `${more || reported < actual ? 'more than ' : ''}${reported.toLocaleString('en')}`;
    super(
      status,
      `${COUNTED[limit]} is ${figure}, above the limit of ${max.toLocaleString('en')}`,
      { code: 'LIMIT_EXCEEDED', limit, max, actual: reported },
    );
  }
}
