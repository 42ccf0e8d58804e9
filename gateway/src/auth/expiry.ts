/** Timers take no more, in milliseconds: about 25 days. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * @param expiresAt in milliseconds since 1970; Infinity: never
 * @returns how to call it off
 */
export function atExpiry(expiresAt: number, onExpired: () => void): () => void {
  if (expiresAt === Number.POSITIVE_INFINITY) return () => {};
  let timer: NodeJS.Timeout;
  const wait = (): void => {
    const left = expiresAt - Date.now();
    timer = setTimeout(left > LONGEST_MS ? wait : onExpired, Math.min(left, LONGEST_MS));
  };
  wait();
  return () => clearTimeout(timer);
}
