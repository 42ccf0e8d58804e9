import { isCertificateProblem } from '@gudang/runtime';

/** The reason why a server has not answered with a supergraph, without credentials. */
export class FetchError extends Error {
  /** Advice for the operator. */
  readonly advice: string;
  /** Whether the same request may succeed soon. */
  readonly retryable: boolean;
  /** Wait that the server asks for, in milliseconds. */
  readonly retryAfterMs: number;

  constructor(
    reason: string,
    options: { advice: string; retryable?: boolean; retryAfterMs?: number },
  ) {
    super(reason);
    this.advice = options.advice;
    this.retryable = options.retryable ?? false;
    this.retryAfterMs = options.retryAfterMs ?? 0;
  }
}

/**
 * Describes an error of the connection. The messages of Node and undici contain hosts and codes, but
 * no credentials.
 * @param shown the address without credentials
 */
export function toFetchError(shown: string, error: unknown): FetchError {
  if (error instanceof FetchError) return error;
  const { code, message } = error as { code?: unknown; message?: unknown };
  const reason = String(message || code || error);
  if (isCertificateProblem(code)) {
    return new FetchError(`${shown} has a certificate that is not trusted: ${reason}`, {
      advice: 'pass its certificate authority in NODE_EXTRA_CA_CERTS',
    });
  }
  return new FetchError(`${shown} cannot be read: ${reason}`, {
    retryable: true,
    advice: 'check the server and the network',
  });
}
