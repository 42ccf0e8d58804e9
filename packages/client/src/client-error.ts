/** An error in a GraphQL response. */
export interface GraphQLErrorLike {
  readonly message: string;
  readonly path?: readonly (string | number)[] | undefined;
  readonly locations?: readonly { readonly line: number; readonly column: number }[] | undefined;
  readonly extensions?: Readonly<Record<string, unknown>> | undefined;
}

/** Errors of this client. All other codes are those of the server, such as `BAD_USER_INPUT`. */
export type ClientErrorCode =
  /** The server is unreachable, or the connection was lost. */
  | 'NETWORK_ERROR'
  /** The server did not answer in time. */
  | 'TIMEOUT'
  /** The answer is not a GraphQL response. */
  | 'BAD_RESPONSE'
  /** The response has GraphQL errors without a code. */
  | 'GRAPHQL_ERROR'
  /** The token is missing, refused or expired. */
  | 'UNAUTHENTICATED'
  /** The app's `token` function has thrown, or has not returned within 30 s. */
  | 'TOKEN_UNAVAILABLE'
  /** The client was closed. */
  | 'CLOSED'
  // Any code of the server; `& {}` keeps the completion of the codes above.
  | (string & {});

export interface ClientErrorOptions {
  readonly code: ClientErrorCode;
  readonly errors?: readonly GraphQLErrorLike[] | undefined;
  /** Data of a response that also has errors. */
  readonly data?: unknown;
  readonly status?: number | undefined;
  readonly retryable?: boolean | undefined;
  readonly cause?: unknown;
}

/** The only error that this client throws, apart from a signal's own reason. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  /** `extensions.code` of the first GraphQL error, or a code of this client. */
  readonly code: ClientErrorCode;
  /** The GraphQL errors of the response; empty if there was no response. */
  readonly errors: readonly GraphQLErrorLike[];
  /** Data of a response that also has errors; null if there is none. */
  readonly data: unknown;
  /** HTTP status, or close code of the websocket. */
  readonly status: number | undefined;
  /** Whether the same operation may succeed later. A mutation may have been executed all the same. */
  readonly retryable: boolean;

  /** Creates the error of a response with GraphQL errors. */
  static of(
    errors: readonly GraphQLErrorLike[],
    options?: Pick<ClientErrorOptions, 'data' | 'status'>,
  ): ClientError {
    const { message = '', extensions } = errors[0] ?? {};
    const { code = 'GRAPHQL_ERROR', retryable } = extensions ?? {};
    return new ClientError(message, {
      ...options,
      errors,
      code: `${code}`,
      retryable: !!retryable,
    });
  }

  constructor(message: string, options: ClientErrorOptions) {
    super(message, { cause: options.cause });
    this.code = options.code;
    this.errors = options.errors ?? [];
    this.data = options.data ?? null;
    this.status = options.status;
    this.retryable = options.retryable ?? false;
  }
}
