import { randomUUID } from 'node:crypto';
import type { Logger } from './logger.ts';

/** An internal error as the caller sees it. */
export interface MaskedError {
  readonly message: string;
  /** The id of the log line that contains the error. */
  readonly errorId: string;
  /** Whether the database is unavailable, so that a retry may succeed. */
  readonly outage: boolean;
}

/**
 * Logs an internal error under a new id and returns the error for the caller.
 * @param where fields for the log line, such as the field or the route
 * @param isOutage returns whether an error means that the database is unavailable. Default: never
 */
export function maskError(
  error: unknown,
  log: Logger,
  where: Readonly<Record<string, unknown>>,
  isOutage: (error: unknown) => boolean = () => false,
): MaskedError {
  const errorId = randomUUID();
  const outage = isOutage(error);
  // The database watch already logs an outage once, so each failed request is logged only at level debug.
  log[outage ? 'debug' : 'error']({ err: error, errorId, ...where }, 'operation failed');
  const message = outage ? 'The database does not answer right now; try again' : 'Internal error';
  return { message, errorId, outage };
}

const traces = new WeakMap<object, string>();

/** Stores the trace id of an error, for code that logs the error later and does not know the operation. */
export function setErrorTrace(error: object, traceId: string | undefined): void {
  if (traceId !== undefined) traces.set(error, traceId);
}

/** Returns the trace id of an error for log lines; undefined if none was stored. */
export function errorTrace(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null ? traces.get(error) : undefined;
}
