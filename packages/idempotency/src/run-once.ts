import type { RawTransaction } from '@gudang/postgres';
import { ServiceError } from '@gudang/runtime';
import { hashInput } from './hash-input.ts';

/** An idempotency key, with everything that decides whether a request repeats an earlier one. */
export interface IdempotencyClaim {
  /** The caller's subject; empty if authentication is disabled, so that all callers share one key space. */
  readonly principal: string;
  /** The name of the mutation. A REST route that does the same uses the same name. */
  readonly mutation: string;
  /** 1 to 100 characters. */
  readonly key: string;
  /** The coerced arguments, with defaults and without the key. */
  readonly input: unknown;
  /** The path of the argument with the key, for errors, such as `input.idempotencyKey`. */
  readonly argument: string;
}

/** How a result is stored with its key. */
export interface ResultCodec<R> {
  /** Returns JSON values. */
  readonly encode: (result: R) => unknown;
  /** Returns the result for a repeated request. It may read the database. */
  readonly decode: (stored: never) => R | Promise<R>;
}

interface StoredKey {
  readonly input: Buffer;
  readonly result: unknown;
}

/**
 * Runs the work of a mutation once for each idempotency key. The key is claimed before the work, in the
 * same transaction. A parallel request with the same key waits for this transaction. If the work throws, the
 * claim is rolled back with it, and the next request runs the work.
 * @param transaction a transaction with the isolation level READ COMMITTED. Nothing may be locked in it yet:
 *   a transaction that waits for a key while it holds locks can cause a deadlock
 * @param claim undefined if the request has no key. The work then runs each time
 * @returns the result of the work, or the stored result of the first request
 * @throws {ServiceError} IDEMPOTENCY_CONFLICT if the key was used with another input
 */
export async function runOnce<R>(
  transaction: RawTransaction,
  claim: IdempotencyClaim | undefined,
  codec: ResultCodec<R>,
  work: () => Promise<R>,
): Promise<{ readonly result: R; readonly isReplay: boolean }> {
  if (claim === undefined) return { result: await work(), isReplay: false };
  const input = hashInput(claim.input);
  const stored = await claimKey(transaction, claim, input);
  if (stored) {
    if (!stored.input.equals(input)) throw conflict(claim);
    return { result: await codec.decode(stored.result as never), isReplay: true };
  }
  const result = await work();
  await storeResult(transaction, claim, codec.encode(result));
  return { result, isReplay: false };
}

/** Claims a key. @returns the stored key if a request has used it; undefined if the key is claimed now */
async function claimKey(
  transaction: RawTransaction,
  { principal, mutation, key }: IdempotencyClaim,
  input: Buffer,
): Promise<StoredKey | undefined> {
  for (;;) {
    // This statement waits for a parallel transaction that claimed the key.
    const claimed = await transaction.$executeRawUnsafe(
      `INSERT INTO idempotency_keys (principal, mutation, key, input) VALUES ($1, $2, $3, $4)
       ON CONFLICT DO NOTHING`,
      principal,
      mutation,
      key,
      input,
    );
    if (claimed === 1) return undefined;
    const [stored] = await transaction.$queryRawUnsafe<StoredKey[]>(
      `SELECT input, result FROM idempotency_keys
       WHERE principal = $1 AND mutation = $2 AND key = $3`,
      principal,
      mutation,
      key,
    );
    // The key is missing if the purge deleted it between the two statements.
    if (stored) return stored;
  }
}

async function storeResult(
  transaction: RawTransaction,
  { principal, mutation, key }: IdempotencyClaim,
  result: unknown,
): Promise<void> {
  await transaction.$executeRawUnsafe(
    `UPDATE idempotency_keys SET result = $4::json
     WHERE principal = $1 AND mutation = $2 AND key = $3`,
    principal,
    mutation,
    key,
    JSON.stringify(result),
  );
}

function conflict({ argument }: IdempotencyClaim): ServiceError {
  return new ServiceError(
    'IDEMPOTENCY_CONFLICT',
    'This idempotencyKey was used with another input; use a new key for a new change',
    { details: { argument } },
  );
}
