import type { ClientRequestArgs } from 'node:http';
import { type ClientOptions, WebSocket } from 'ws';

const OPTIONS: ClientOptions & ClientRequestArgs = {
  perMessageDeflate: false,
  handshakeTimeout: 5_000,
  // An event is a few kilobytes; a subgraph is trusted further than a client, not without end.
  maxPayload: 16 * 1024 * 1024,
};

/** How graphql-ws's client closes a connection that it has given up. */
const TERMINATED = 4499;

/** A websocket to a subgraph: no compression, and a handshake that cannot hang. */
export class UpstreamSocket extends WebSocket {
  constructor(address: string | URL, protocols?: string | string[]) {
    super(address, protocols, OPTIONS);
  }

  /**
   * One that was given up is gone at once: were it to wait for the subgraph's goodbye, then what it
   * had kept back, such as positions, would still come, and count for the connection after it.
   */
  override close(code?: number, reason?: string | Buffer): void {
    if (code === TERMINATED) {
      this.onmessage = null;
      this.terminate();
    } else super.close(code, reason);
  }
}
