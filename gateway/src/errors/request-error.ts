import { GraphQLError, type GraphQLErrorExtensions } from 'graphql';

/** A request that is not answered, for what it is or how many there are, and not for what it asks. */
export class RequestError extends GraphQLError {
  /** Of an answer over HTTP. */
  readonly status: number;

  /** When to ask again, in seconds. */
  get retryAfterS(): number | undefined {
    return this.status === 429 || this.status === 503 ? 1 : undefined;
  }

  constructor(status: number, message: string, extensions: GraphQLErrorExtensions) {
    super(message, { extensions });
    this.status = status;
  }
}
