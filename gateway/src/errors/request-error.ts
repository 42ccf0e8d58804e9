import { GraphQLError, type GraphQLErrorExtensions } from 'graphql';

/**
 * Error for a request that is rejected before it runs, because it is malformed, above a limit, or
 * not allowed.
 */
export class RequestError extends GraphQLError {
  /** HTTP status of the answer. */
  readonly status: number;

  /** Value of the header `Retry-After`, in seconds. */
  get retryAfterS(): number | undefined {
    return this.status === 429 || this.status === 503 ? 1 : undefined;
  }

  constructor(status: number, message: string, extensions: GraphQLErrorExtensions) {
    super(message, { extensions });
    this.status = status;
  }
}
