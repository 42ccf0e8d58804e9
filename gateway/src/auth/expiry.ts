/** Maximum delay of a Node.js timer, in milliseconds: about 25 days. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/**
 * Calls back when a token expires.
 * @param expiresAt milliseconds since 1970, or Infinity for a token that never expires
 * @returns a function that cancels the callback
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
