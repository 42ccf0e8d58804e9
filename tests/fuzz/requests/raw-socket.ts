import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { Outcome } from './judge.ts';

const TIMEOUT_MS = 20_000;

/**
 * A graphql-transport-ws connection that sends messages as they are, one operation at a time. It
 * connects again after the gateway has closed it.
 */
export class RawSocket {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #init: string;
  #socket: WebSocket | undefined;

  /**
   * @param headers of the handshake
   * @param init the first message
   */
  constructor(
    url: string,
    headers: Readonly<Record<string, string>> = {},
    init = '{"type":"connection_init"}',
  ) {
    this.#url = url;
    this.#headers = headers;
    this.#init = init;
  }

  /**
   * Sends a message and waits for the end of its operation, or for the end of the connection.
   * @throws if neither arrives within 20 s
   */
  async exchange(message: string | Buffer): Promise<Outcome> {
    const socket = await this.#open();
    const seen = { data: undefined as unknown, shown: '' };
    return new Promise((resolve, reject) => {
      const finish = (outcome: Outcome): void => {
        clearTimeout(timer);
        socket.removeAllListeners('message');
        socket.removeAllListeners('close');
        resolve(outcome);
      };
      const timer = setTimeout(
        () => reject(new Error(`no end of the operation within 20 s: ${seen.shown}`)),
        TIMEOUT_MS,
      );
      socket.on('close', (code, reason) => {
        finish({
          isRefusal: true,
          data: undefined,
          shown: `${seen.shown} closed with ${code} ${reason}`,
        });
      });
      socket.on('message', (data) => {
        const text = String(data);
        seen.shown += text.slice(0, 300);
        const { type, payload } = JSON.parse(text);
        if (type === 'next') seen.data = payload.data;
        if (type === 'complete') finish({ isRefusal: false, ...seen });
        if (type === 'error') finish({ isRefusal: true, ...seen });
      });
      socket.send(message, { binary: false });
    });
  }

  close(): void {
    this.#socket?.terminate();
  }

  async #open(): Promise<WebSocket> {
    if (this.#socket?.readyState === WebSocket.OPEN) return this.#socket;
    const headers = this.#headers;
    const socket = new WebSocket(this.#url, 'graphql-transport-ws', { headers });
    this.#socket = socket;
    socket.on('error', () => {});
    await once(socket, 'open');
    socket.send(this.#init);
    await once(socket, 'message');
    return socket;
  }
}
