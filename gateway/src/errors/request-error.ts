import { GraphQLError, type GraphQLErrorExtensions } from 'graphql';

/**
 * Error for a request that is rejected before it runs, because it is malformed, above a limit, or
 * not allowed.
 */
export class RequestError extends GraphQLError {
  /** HTTP status of the answer. */
  readonly status: number;
  /** Headers of the answer, such as `allow` with 405. */
  readonly headers: Readonly<Record<string, string>>;

  /** Value of the header `Retry-After`, in seconds. */
  get retryAfterS(): number | undefined {
    return this.status === 429 || this.status === 503 ? 1 : undefined;
  }

  constructor(
    status: number,
    message: string,
    extensions: GraphQLErrorExtensions,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message, { extensions });
    this.status = status;
    this.headers = headers;
  }
}

/** Error by which a plugin refuses a request or a stream. Clients see the message and the extensions of all its errors. */
export class PluginError extends RequestError {}

/** Creates the error for a request that does not follow its protocol. */
export function badRequest(message: string, status = 400): RequestError {
  return new RequestError(status, message, { code: 'BAD_REQUEST' });
}
