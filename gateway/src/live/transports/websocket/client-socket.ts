import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { LiveCloseCode } from './close-codes.ts';
import type { MessageSocket } from './message-socket.ts';

/** What may wait unread in a client's socket, in bytes, before its further requests are refused. */
const UNREAD_LIMIT = 4 * 1024 * 1024;

/** The longest reason of a close frame, in bytes of UTF-8; ws throws on a longer one (RFC 6455, 5.5). */
const REASON_BYTES = 123;

/** A client's websocket; a class, because each delivery to each client comes through it. */
class ClientSocket implements MessageSocket {
  readonly #socket: WebSocket;
  readonly #raw: Duplex;

  constructor(socket: WebSocket, raw: Duplex) {
    this.#socket = socket;
    this.#raw = raw;
  }

  send(message: string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#raw.writableLength > UNREAD_LIMIT) {
      this.#socket.close(LiveCloseCode.lagged, 'Lagged: answers are not read');
    } else this.#socket.send(message);
  }

  // Past ws, which writes whole frames too: half the cost of its send().
  writeFrames(frames: Buffer): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#raw.write(frames);
  }

  unread(): number {
    return this.#raw.writableLength;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  ready(): boolean {
    return !this.#raw.writableNeedDrain;
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, cutReason(reason));
  }
}

/** Cuts a close frame's reason to its limit, between two characters. */
export function cutReason(reason: string): string {
  const { read } = new TextEncoder().encodeInto(reason, new Uint8Array(REASON_BYTES));
  return reason.slice(0, read);
}

/** @param raw the connection under the websocket */
export function createClientSocket(socket: WebSocket, raw: Duplex): MessageSocket {
  return new ClientSocket(socket, raw);
}
