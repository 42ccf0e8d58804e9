/** Longest delay of a timer, in milliseconds: about 25 days. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/**
 * Calls back when a token expires.
 * @param expiresAt in milliseconds since 1970; Infinity: never
 * @returns a function that cancels it
 */
export function atExpiry(expiresAt: number, onExpired: () => void): () => void {
  if (expiresAt === Number.POSITIVE_INFINITY) return () => {};
  let timer: NodeJS.Timeout;
  const wait = (): void => {
    const left = expiresAt - Date.now();
    timer = setTimeout(left > MAX_DELAY_MS ? wait : onExpired, Math.min(left, MAX_DELAY_MS));
  };
  wait();
  return () => clearTimeout(timer);
}
