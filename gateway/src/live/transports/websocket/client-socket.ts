import type { Duplex } from 'node:stream';
import { cutReason } from '@gudang/runtime';
import type { WebSocket } from 'ws';
import type { ByteAccount, ByteHold } from '../../../limits/byte-account.ts';
import { LiveCloseCode } from './close-codes.ts';

/**
 * Maximum number of bytes that a client may leave unread. A socket that exceeds this maximum is
 * closed with 4480.
 */
const UNREAD_LIMIT = 4 * 1024 * 1024;

/** A socket that carries the messages of graphql-transport-ws. */
export interface MessageSocket {
  readonly send: (message: string) => void;
  /** Writes whole websocket frames unchanged. */
  readonly writeFrames: (frames: Buffer) => void;
  /** Counts unread bytes in an account; `undefined` ends this. */
  readonly countIn: (account: ByteAccount | undefined) => void;
  /** Whether the socket accepts more data without buffering. */
  readonly ready: () => boolean;
  /** Stops reading the client's messages until `resume`. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** Returns the number of bytes that the client has not read yet. */
  readonly unread: () => number;
  /**
   * Closes the socket; a reason of more than 123 bytes is truncated. The connection is destroyed
   * after 2 s if the client does not close it.
   */
  readonly close: (code: number, reason: string) => void;
}

/** A client's websocket. */
class ClientSocket implements MessageSocket {
  readonly #socket: WebSocket;
  readonly #raw: Duplex;
  readonly #onClosing: () => void;
  #unread: ByteHold | undefined;

  constructor(socket: WebSocket, raw: Duplex, onClosing: () => void) {
    this.#socket = socket;
    this.#raw = raw;
    this.#onClosing = onClosing;
    raw.on('drain', () => this.#unread?.releaseAll());
  }

  send(message: string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#raw.writableLength > UNREAD_LIMIT) {
      this.close(LiveCloseCode.lagged, 'Lagged: results are not read');
    } else {
      this.#socket.send(message);
      if (this.#raw.writableNeedDrain) this.#countUnread();
    }
  }

  // Bypasses ws, because writing whole frames costs half as much as the send() method of ws.
  writeFrames(frames: Buffer): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (!this.#raw.write(frames)) this.#countUnread();
  }

  countIn(account: ByteAccount | undefined): void {
    this.#unread?.releaseAll();
    this.#unread = account?.hold('sockets');
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
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    // Reads on, so that the client's close frame is received.
    this.#socket.resume();
    this.#socket.close(code, cutReason(reason));
    this.#onClosing();
  }

  #countUnread(): void {
    if (!this.#unread || this.#unread.charge(this.#raw.writableLength - this.#unread.bytes)) return;
    this.close(LiveCloseCode.lagged, 'Lagged: results are not read');
  }
}

/**
 * @param raw the connection under the websocket
 * @param onClosing called when the gateway has sent its close frame; may be called during a delivery
 */
export function createClientSocket(
  socket: WebSocket,
  raw: Duplex,
  onClosing: () => void,
): MessageSocket {
  return new ClientSocket(socket, raw, onClosing);
}
