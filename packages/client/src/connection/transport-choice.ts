import type { LiveClientOptions } from '../live-client.ts';

/** Handshakes of websockets that must fail in a row before server-sent events are tried. */
const FAILED_HANDSHAKES = 2;
/** Time after which an attempt to open a websocket is over, in ms. */
const HANDSHAKE_MS = 10_000;
/** Time after which a client with server-sent events tries a websocket again, in ms. */
const TRY_AGAIN_MS = 10 * 60_000;

/**
 * Chooses between websockets and server-sent events. A failed handshake may mean that the server is down
 * or that a proxy blocks websockets. So with `auto`, both are tried in turn, and as soon as server-sent
 * events work, a websocket is tried once more.
 */
export class TransportChoice {
  readonly webSocketImpl: typeof WebSocket | undefined;
  readonly #isAuto: boolean;
  #isSse: boolean;
  #failedInRow = 0;
  #triedAt = 0;

  /** @throws {TypeError} if websockets are required, and there is no implementation */
  constructor({ transport = 'auto', webSocketImpl }: LiveClientOptions) {
    this.webSocketImpl = (webSocketImpl ?? globalThis.WebSocket) as typeof WebSocket | undefined;
    if (transport === 'websocket' && !this.webSocketImpl) {
      throw new TypeError(
        "There is no global WebSocket: pass `webSocketImpl`, for example of the package ws, or set `transport: 'sse'`",
      );
    }
    this.#isSse = transport === 'sse' || !this.webSocketImpl;
    this.#isAuto = transport === 'auto' && this.webSocketImpl !== undefined;
  }

  get isSse(): boolean {
    return this.#isSse;
  }

  /** Call when a connection has ended. @param wasOpen whether it had been opened */
  ended(wasOpen: boolean): void {
    this.#failedInRow = wasOpen ? 0 : this.#failedInRow + 1;
    if (this.#failedInRow < (this.#isSse ? 1 : FAILED_HANDSHAKES)) return;
    this.#failedInRow = 0;
    if (this.#isAuto) this.#isSse = !this.#isSse;
  }

  /** Call when a connection was opened. Calls `onReturn` if a websocket can replace server-sent events. */
  opened(url: string, onReturn: () => void): void {
    if (!this.#isAuto || !this.#isSse || Date.now() - this.#triedAt < TRY_AGAIN_MS) return;
    this.#triedAt = Date.now();
    this.#tryWebSocket(url, () => {
      this.#triedAt = 0;
      if (!this.#isSse) return;
      this.#isSse = false;
      onReturn();
    });
  }

  #tryWebSocket(url: string, onOpen: () => void): void {
    if (!this.webSocketImpl) return;
    const socket = new this.webSocketImpl(url, 'graphql-transport-ws');
    const timer = setTimeout(() => socket.close(), HANDSHAKE_MS);
    // The package ws throws errors without a listener.
    socket.onerror = () => {};
    socket.onclose = () => clearTimeout(timer);
    socket.onopen = () => {
      socket.close();
      onOpen();
    };
  }
}
