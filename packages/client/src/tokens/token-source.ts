import { ClientError } from '../client-error.ts';
import { Listeners } from '../listeners.ts';
import type { LiveClientOptions, TokenReason } from '../live-client.ts';

/** Time-out of the app's `token` function, in ms. Without it, a request that hangs would end all retries. */
const TIMEOUT_MS = 30_000;
/** Time after which a refused token is sent again, in ms: the server may have been wrong. */
const SEND_AGAIN_MS = 30_000;
/** Shortest time between two requests for a new token before the expiry, in ms. */
const MIN_REFRESH_MS = 1_000;
/** Longest delay of a timer in browsers and Node, in ms. */
const MAX_TIMER_MS = 2 ** 31 - 1;
const DEFAULT_BEFORE_MS = 30_000;

/**
 * The tokens of the app. It reports when they belong to another caller, does not send a refused token
 * again, and reads another one before a token expires.
 */
export class TokenSource {
  /** Called with the identity when it changes. */
  readonly listeners = new Listeners<[identity: string]>();
  /** Subject and scopes of the token that was read last; empty without a token. */
  identity = '';
  readonly #options: LiveClientOptions;
  /** Why the next token is read for a connection. */
  #reason: TokenReason = 'connect';
  #refused: string | null = null;
  #refusedAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: LiveClientOptions) {
    this.#options = options;
  }

  /** @throws {ClientError} `TOKEN_UNAVAILABLE` if the app's function throws or does not return */
  async read(reason: TokenReason): Promise<string | null> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject('time-out'), TIMEOUT_MS);
      });
      const token = (await Promise.race([this.#options.token?.(reason), late])) || null;
      this.#identify(token);
      return token;
    } catch (cause) {
      const options = { code: 'TOKEN_UNAVAILABLE', retryable: true, cause };
      throw new ClientError(`${cause}`, options);
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Reads a token for a connection.
   * @throws {ClientError} `UNAUTHENTICATED` if the app has only the refused token
   */
  async readForConnection(): Promise<string | null> {
    const token = await this.read(this.#reason);
    if (token && token === this.#refused && Date.now() - this.#refusedAt < SEND_AGAIN_MS) {
      const options = { code: 'UNAUTHENTICATED', retryable: true };
      throw new ClientError('The token was refused', options);
    }
    return token;
  }

  /**
   * The server has refused the token, or it has expired.
   * @returns whether it had refused another one just before
   */
  refuse(token: string | null): boolean {
    const isRepeated = this.#reason === 'refused';
    this.#reason = 'refused';
    this.#refused = token;
    this.#refusedAt = Date.now();
    return isRepeated;
  }

  /** The next token is read and sent as if none had been refused. */
  accept(): void {
    this.#reason = 'connect';
    this.#refused = null;
  }

  /** Calls the function with another token before this one expires. */
  watch(token: string | null, onRenewed: (token: string) => void): void {
    this.unwatch();
    const { refreshTokenBefore = DEFAULT_BEFORE_MS } = this.#options;
    const { exp } = claimsOf(token);
    const remaining = Number(exp) * 1000 - Date.now();
    if (!(remaining > 0)) return;
    const timer = setTimeout(
      async () => {
        const renewed = await this.read('expiring').catch(() => token);
        if (this.#timer !== timer) return;
        this.watch(renewed, onRenewed);
        if (renewed && renewed !== token) onRenewed(renewed);
      },
      // If there is no other token yet, half of the remaining time is left to try again.
      Math.min(
        Math.max(remaining - refreshTokenBefore, remaining / 2, MIN_REFRESH_MS),
        MAX_TIMER_MS,
      ),
    );
    this.#timer = timer;
  }

  unwatch(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #identify(token: string | null): void {
    const { sub, scope, scp } = claimsOf(token);
    const identity = token === null ? '' : `${sub ?? token} ${scope ?? scp}`;
    if (identity === this.identity) return;
    this.identity = identity;
    this.listeners.emit(identity);
  }
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
