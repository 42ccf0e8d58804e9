/** Error codes for clients. Released codes never change. */
export type ErrorCode =
  | 'BAD_USER_INPUT'
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'IDEMPOTENCY_CONFLICT'
  | 'VERSION_CONFLICT'
  | 'CURSOR_EXPIRED'
  | 'TOO_LATE'
  | 'RATE_LIMITED'
  | 'UNAVAILABLE';

/**
 * An error for the caller. Its message says what to do, and its code never changes.
 * graphql-js copies `extensions` to the response.
 */
export class ServiceError extends Error {
  readonly code: ErrorCode;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    options: { retryable?: boolean; details?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ServiceError';
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.details = options.details ?? {};
  }

  get extensions(): Record<string, unknown> {
    return {
      code: this.code,
      ...this.details,
      ...(this.retryable ? { retryable: true } : {}),
    };
  }
}

/** An argument whose value is not allowed. */
export interface InvalidArgument {
  /** The argument's path, such as `input.quantity`. */
  readonly argument: string;
  /** The allowed values, such as `a whole number from 1 to 1,000,000`. */
  readonly allowed: string;
  /** The problem of the value, as the rest of a sentence about the argument: `is empty`. */
  readonly problem?: string | undefined;
}

/** Maximum number of invalid arguments that one error lists. */
const LISTED_ARGUMENTS = 10;

/**
 * Returns the error for an invalid argument.
 * @param argument the argument's path, such as `input.quantity`
 * @param allowed the allowed values, such as `a whole number from 1 to 1,000,000`
 * @param problem what is wrong with the value, such as `is empty`
 */
export function badUserInput(argument: string, allowed: string, problem?: string): ServiceError {
  return invalidArguments([{ argument, allowed, problem }]);
}

/**
 * Returns the error for several invalid arguments of one field. Its details name the first one as
 * `argument` and `allowed`, and list up to 10 as `invalid`, with the number of others as `omitted`.
 */
export function invalidArguments(all: readonly InvalidArgument[]): ServiceError {
  const invalid = all.slice(0, LISTED_ARGUMENTS);
  const omitted = all.length - invalid.length;
  const [first] = invalid;
  return new ServiceError('BAD_USER_INPUT', describeInvalid(invalid, omitted), {
    details: {
      argument: first?.argument ?? '',
      allowed: first?.allowed ?? '',
      invalid,
      ...(omitted > 0 ? { omitted } : {}),
    },
  });
}

const DAY_MS = 86_400_000;

/**
 * Returns the error for a cursor that is too old for a snapshot.
 * @param maxAgeMs the maximum age in milliseconds
 */
export function cursorExpired(maxAgeMs: number): ServiceError {
  const days = Math.round(maxAgeMs / DAY_MS);
  return new ServiceError(
    'CURSOR_EXPIRED',
    `The cursor is older than ${days} days, and the changes since are no longer available. Query the list first, with a new cursor, and subscribe after that cursor.`,
    { details: { argument: 'after' } },
  );
}

/** Returns the arguments that an error is about; undefined if it is no error of `invalidArguments`. */
export function invalidIn(error: unknown): readonly InvalidArgument[] | undefined {
  if (!(error instanceof ServiceError) || error.code !== 'BAD_USER_INPUT') return undefined;
  return error.details['invalid'] as readonly InvalidArgument[] | undefined;
}

/**
 * Describes invalid arguments to people, one sentence for each.
 * @param omitted number of invalid arguments that are not listed
 */
export function describeInvalid(invalid: readonly InvalidArgument[], omitted = 0): string {
  const sentences = invalid.map(({ argument, allowed, problem }) =>
    problem === undefined
      ? `${argument} must be ${allowed}`
      : `${argument} ${problem}; allowed: ${allowed}`,
  );
  if (omitted > 0) sentences.push(`${omitted.toLocaleString('en')} more arguments are invalid`);
  return sentences.join('. ');
}

export function notFound(what: string, id: string): ServiceError {
  return new ServiceError('NOT_FOUND', `There is no ${what} with the id ${JSON.stringify(id)}`);
}

/** Returns the retryable error for an unavailable dependency. */
export function unavailable(message: string, cause?: unknown): ServiceError {
  return new ServiceError('UNAVAILABLE', message, { retryable: true, cause });
}

/** An error at the start of a process that the user can correct. It is shown without a stack trace. */
export class StartError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'StartError';
  }
}
