import type { LiveClientOptions } from '../live-client.ts';
import type { tryWebSocket } from './sse-link.ts';

/** Handshakes of websockets that must fail in a row before server-sent events are tried. */
const FAILED_HANDSHAKES = 2;
/** Time after which a client with server-sent events tries a websocket again, in ms. */
const TRY_AGAIN_MS = 10 * 60_000;

export interface ChoiceOptions extends LiveClientOptions {
  readonly webSocketUrl: string;
}

/**
 * Chooses between websockets and server-sent events. A failed handshake may mean that the server is down
 * or that a proxy blocks websockets. So with `auto`, both are tried in turn, and as soon as server-sent
 * events work, a websocket is tried once more.
 */
export class TransportChoice {
  readonly webSocketImpl: typeof WebSocket | undefined;
  /** Whether the next connection uses server-sent events. */
  isSse: boolean;
  readonly #url: string;
  readonly #isAuto: boolean;
  #failedInRow = 0;
  #triedAt = 0;

  constructor({ transport = 'auto', webSocketImpl, webSocketUrl }: ChoiceOptions) {
    this.#url = webSocketUrl;
    this.webSocketImpl = (webSocketImpl ?? globalThis.WebSocket) as typeof WebSocket | undefined;
    this.isSse = transport === 'sse' || !this.webSocketImpl;
    this.#isAuto = transport === 'auto' && this.webSocketImpl !== undefined;
  }

  /** Call when a connection has ended. @param wasOpen whether it had been opened */
  ended(wasOpen: boolean): void {
    this.#failedInRow = wasOpen ? 0 : this.#failedInRow + 1;
    if (!this.#isAuto || this.#failedInRow < (this.isSse ? 1 : FAILED_HANDSHAKES)) return;
    this.#failedInRow = 0;
    this.isSse = !this.isSse;
  }

  /**
   * Call when a connection was opened.
   * @param trial tries a websocket; loaded with the code for server-sent events
   * @param onReturn called if a websocket can replace server-sent events
   */
  opened(trial: typeof tryWebSocket | undefined, onReturn: () => void): void {
    const { webSocketImpl } = this;
    if (!trial || !webSocketImpl || !this.#isAuto || !this.isSse) return;
    if (Date.now() - this.#triedAt < TRY_AGAIN_MS) return;
    this.#triedAt = Date.now();
    trial(webSocketImpl, this.#url, () => {
      this.#triedAt = 0;
      this.isSse = false;
      onReturn();
    });
  }
}
