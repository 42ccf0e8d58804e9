import { randomUUID } from 'node:crypto';
import type { Logger } from './logger.ts';

/** What a caller may know of an error that was not meant for callers. */
export interface MaskedError {
  readonly message: string;
  /** The log has the whole of it under this id. */
  readonly errorId: string;
  /** Whether the database is away, so that the same request may succeed later. */
  readonly outage: boolean;
}

/**
 * @param where what the log names beside the error, such as the field or the route
 * @param isOutage whether the error means that the database is unavailable; default: never
 */
export function maskError(
  error: unknown,
  log: Logger,
  where: Readonly<Record<string, unknown>>,
  isOutage: (error: unknown) => boolean = () => false,
): MaskedError {
  const errorId = randomUUID();
  const outage = isOutage(error);
  // An outage is named once by whoever watches the database, not by each request that meets it.
  log[outage ? 'debug' : 'error']({ err: error, errorId, ...where }, 'an operation failed');
  const message = outage ? 'The database does not answer right now; try again' : 'Internal error';
  return { message, errorId, outage };
}
