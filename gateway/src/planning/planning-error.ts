import { GraphQLError } from 'graphql';

/** Error for a valid operation that no plan can answer. Its code is `PLANNING_FAILED`. */
export class PlanningError extends GraphQLError {
  /** @param cause the planner's own error, which may name parts of the schema that clients must not see */
  constructor(message: string, cause?: unknown) {
    super(`The gateway cannot plan this operation${message}`, {
      originalError: cause instanceof Error ? cause : undefined,
      extensions: { code: 'PLANNING_FAILED' },
    });
  }
}
