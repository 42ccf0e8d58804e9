import {
  ALLOWED_IDEMPOTENCY_KEY,
  badUserInput,
  idempotencyKeysOf,
  onlyIdempotencyKey,
} from '@gudang/runtime';
import type { FastifyRequest } from 'fastify';

/**
 * Returns the idempotency key of a request that writes: the value of its header `Idempotency-Key`. The
 * function that executes the write checks the key's length.
 * @throws {ServiceError} BAD_USER_INPUT if the header is repeated or not printable ASCII
 */
export function idempotencyKeyOf({ raw }: FastifyRequest): string | undefined {
  const values = idempotencyKeysOf(raw);
  if (!values) return undefined;
  const key = onlyIdempotencyKey(values);
  if (key === undefined) throw badUserInput('Idempotency-Key', ALLOWED_IDEMPOTENCY_KEY);
  return key;
}
