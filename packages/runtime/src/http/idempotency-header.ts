import type { IncomingMessage } from 'node:http';

/** The allowed values of `Idempotency-Key`, for error messages. */
export const ALLOWED_IDEMPOTENCY_KEY = 'one header with printable ASCII characters';

/**
 * Returns the values of the header `Idempotency-Key`, one for each time it was sent. Node.js itself joins
 * the values of a repeated header, so they would look like one key.
 */
export function idempotencyKeysOf(request: IncomingMessage): readonly string[] | undefined {
  if (request.headers['idempotency-key'] === undefined) return undefined;
  return request.headersDistinct['idempotency-key'];
}

/** Other bytes have no agreed encoding in a header, so they could not equal a key in a JSON body. */
const KEY = /^[\x20-\x7e]*$/;

/**
 * Returns the key of a request. The key is the value of the header as it was sent: quotes belong to the key. Its length is not
 * checked.
 * @returns undefined unless the header was sent once, with printable ASCII characters
 */
export function onlyIdempotencyKey(values: readonly string[]): string | undefined {
  const [key = ''] = values;
  return values.length === 1 && KEY.test(key) ? key : undefined;
}
