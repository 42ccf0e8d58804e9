import { ClientError } from '../client-error.ts';
import type { TokenReason } from '../live-client.ts';
import { refreshDelay, type TokenSource } from './token-source.ts';

/** Time after which a refused token is sent again, in ms: the server may have been wrong. */
const SEND_AGAIN_MS = 30_000;
/** Shortest time between two requests for a new token before the expiry, in ms. */
const MIN_REFRESH_MS = 1_000;
const DEFAULT_BEFORE_MS = 30_000;

/** The token of the connections: never sent twice in a row if it is refused, and renewed before it expires. */
export class ConnectionToken {
  readonly #source: TokenSource;
  readonly #before: number;
  #reason: TokenReason = 'connect';
  #refused: { readonly token: string; readonly at: number } | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param before time before the expiry at which a new token is requested, in ms */
  constructor(source: TokenSource, before: number = DEFAULT_BEFORE_MS) {
    this.#source = source;
    this.#before = before;
  }

  /** @throws {ClientError} `UNAUTHENTICATED` if the app has only the refused token */
  async read(): Promise<string | null> {
    const token = await this.#source.read(this.#reason);
    const refused = this.#refused;
    if (token !== null && token === refused?.token && Date.now() - refused.at < SEND_AGAIN_MS) {
      const options = { code: 'UNAUTHENTICATED', retryable: true } as const;
      throw new ClientError('The server has refused the token, and there is no other', options);
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
    if (token !== null) this.#refused = { token, at: Date.now() };
    return isRepeated;
  }

  /** The next token is read and sent as if none had been refused. */
  accept(): void {
    this.#reason = 'connect';
    this.#refused = undefined;
  }

  /** Calls the function with another token before this one expires. */
  watch(token: string | null, onRenewed: (token: string) => void): void {
    this.unwatch();
    const delay = refreshDelay(token, this.#before);
    if (delay === undefined) return;
    const timer = setTimeout(
      async () => {
        // If there is no other token yet, half of the remaining time is left to try again.
        const renewed = await this.#source.read('expiring').catch(() => token);
        if (this.#timer !== timer) return;
        this.watch(renewed, onRenewed);
        if (renewed !== null && renewed !== token) onRenewed(renewed);
      },
      Math.max(delay, MIN_REFRESH_MS),
    );
    this.#timer = timer;
  }

  unwatch(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
