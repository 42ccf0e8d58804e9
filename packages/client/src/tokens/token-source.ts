import { ClientError } from '../client-error.ts';
import type { LiveClientOptions, TokenReason } from '../live-client.ts';

/** Time-out of the app's `token` function, in ms. Without it, a request that hangs would end all retries. */
const TIMEOUT_MS = 30_000;
/** Longest delay of a timer in browsers and Node, in ms. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Reads tokens from the app, and reports when they belong to another caller. */
export class TokenSource {
  readonly #read: LiveClientOptions['token'];
  readonly #listeners = new Set<(identity: string) => void>();
  #identity = '';

  constructor(read: LiveClientOptions['token']) {
    this.#read = read;
  }

  /** Subject and scopes of the token that was read last; empty without a token. */
  get identity(): string {
    return this.#identity;
  }

  onIdentity(listener: (identity: string) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** @throws {ClientError} `TOKEN_UNAVAILABLE` if the app's function throws or does not return */
  async read(reason: TokenReason): Promise<string | null> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject('time-out'), TIMEOUT_MS);
      });
      const token = (await Promise.race([this.#read?.(reason), late])) || null;
      this.#identify(token);
      return token;
    } catch (cause) {
      const options = { code: 'TOKEN_UNAVAILABLE', retryable: true, cause };
      throw new ClientError(`The token could not be read: ${cause}`, options);
    } finally {
      clearTimeout(timer);
    }
  }

  clear(): void {
    this.#listeners.clear();
  }

  #identify(token: string | null): void {
    const { sub, scope, scp } = claimsOf(token);
    const identity = token === null ? '' : JSON.stringify([sub ?? token, scope ?? scp]);
    if (identity === this.#identity) return;
    this.#identity = identity;
    for (const listener of [...this.#listeners]) listener(identity);
  }
}

/**
 * Time until a new token should be requested, in ms: `before` the token expires, or half of its remaining
 * time if that is later. Undefined if the token does not say when it expires, or has expired.
 */
export function refreshDelay(token: string | null, before: number): number | undefined {
  const { exp } = claimsOf(token);
  const remaining = typeof exp === 'number' ? exp * 1000 - Date.now() : 0;
  if (remaining <= 0) return undefined;
  return Math.min(Math.max(remaining - before, remaining / 2), MAX_TIMER_MS);
}

/** Reads the claims of a JSON Web Token without verifying it; an opaque token has none. */
function claimsOf(token: string | null): Readonly<Record<string, unknown>> {
  try {
    const [, payload = ''] = (token ?? '').split('.');
    // Non-ASCII claims are compared only, so they need not be decoded from UTF-8.
    return JSON.parse(atob(payload.replace(/-/g, '+').replace(/_/g, '/'))) ?? {};
  } catch {
    return {};
  }
}
