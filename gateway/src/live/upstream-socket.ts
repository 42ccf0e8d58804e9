import type { ClientRequestArgs } from 'node:http';
import { type ClientOptions, WebSocket } from 'ws';

const OPTIONS: ClientOptions & ClientRequestArgs = {
  perMessageDeflate: false,
  handshakeTimeout: 5_000,
  // An event is a few kilobytes; a subgraph is trusted further than a client, not without end.
  maxPayload: 16 * 1024 * 1024,
};

/** A websocket to a subgraph: no compression, and a handshake that cannot hang. */
export class UpstreamSocket extends WebSocket {
  constructor(address: string | URL, protocols?: string | string[]) {
    super(address, protocols, OPTIONS);
  }
}
