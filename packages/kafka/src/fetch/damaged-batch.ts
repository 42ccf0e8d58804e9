import { createHash } from 'node:crypto';

/** Number of times that a batch must be fetched with the same bytes before it counts as damaged. */
const ATTEMPTS = 3;
/** Maximum number of batches whose attempts are counted. */
const COUNTED_BATCHES = 1_000;

/** Number of failed attempts by the digest of the batch's bytes, oldest first. */
const attempts = new Map<string, number>();

/**
 * Counts a failed attempt to decode a batch. A batch is fetched several times, because its bytes may
 * have been corrupted on their way from the broker.
 * @returns whether the same bytes have failed so often that the batch counts as damaged
 */
export function isDamaged(bytes: Buffer): boolean {
  const digest = createHash('sha256').update(bytes).digest('base64');
  const count = (attempts.get(digest) ?? 0) + 1;
  attempts.delete(digest);
  attempts.set(digest, count);
  if (attempts.size > COUNTED_BATCHES) {
    const [oldest] = attempts.keys();
    if (oldest !== undefined) attempts.delete(oldest);
  }
  return count >= ATTEMPTS;
}

/**
 * Whether decoding failed because this process has too little memory, so that a later attempt may
 * succeed.
 */
export function isOutOfMemory(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return (
    code === 'Z_MEM_ERROR' ||
    code === 'ERR_MEMORY_ALLOCATION_FAILED' ||
    /allocation failed|out of memory|maximum memory size/i.test(String(message))
  );
}
