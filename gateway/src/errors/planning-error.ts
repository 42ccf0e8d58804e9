import type { Logger } from '@gudang/runtime';
import { GraphQLError } from 'graphql';

const PLANNING_FAILED = 'PLANNING_FAILED';

/**
 * Error for a valid operation for which the planner finds no plan. Its code is `PLANNING_FAILED`. The
 * planner's own error is for the log, because it may name parts of the schema that clients cannot see.
 */
export class PlanningError extends GraphQLError {
  constructor(reason: string, cause?: Error) {
    super(`The gateway cannot plan this operation: ${reason}`, {
      extensions: { code: PLANNING_FAILED },
      originalError: cause,
    });
  }
}

/** Logs the cause of an error that says that an operation cannot be planned. */
export function logPlanningError(error: unknown, log: Logger): void {
  if (!(error instanceof GraphQLError) || error.extensions['code'] !== PLANNING_FAILED) return;
  const { originalError: err = error } = error;
  log.error({ err }, 'An operation cannot be planned; its client receives PLANNING_FAILED');
}
