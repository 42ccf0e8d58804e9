import type { ClientRequestArgs } from 'node:http';
import { type ClientOptions, WebSocket } from 'ws';

const OPTIONS: ClientOptions & ClientRequestArgs = {
  perMessageDeflate: false,
  handshakeTimeout: 5_000,
  // An event has a few kilobytes. This limit is higher than the limit for clients, because
  // subgraphs are trusted more.
  maxPayload: 16 * 1024 * 1024,
};

/** Close code with which graphql-ws's client terminates a connection. */
const TERMINATED = 4499;

/** A websocket to a subgraph, without compression and with a time limit for the handshake. */
export class UpstreamSocket extends WebSocket {
  constructor(address: string | URL, protocols?: string | string[]) {
    super(address, protocols, OPTIONS);
  }

  /**
   * Drops a terminated connection at once. If the socket waited for the subgraph's close frame,
   * delayed messages such as position reports would still arrive and be applied to the next
   * connection.
   */
  override close(code?: number, reason?: string | Buffer): void {
    if (code === TERMINATED) {
      this.onmessage = null;
      this.terminate();
    } else super.close(code, reason);
  }
}
