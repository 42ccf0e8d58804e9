import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocket } from 'ws';

/** A subscription to changes that never happen. */
export interface QuietOperation {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** Subscriptions that are open; the function leaves all of them. */
export type Leave = () => Promise<void>;

/** Opens subscriptions at a gateway, and knows one way of leaving them. */
export type Way = (url: string, operations: readonly QuietOperation[]) => Promise<Leave>;

async function openWebsocket(url: string, autoPong = true): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
    perMessageDeflate: false,
    autoPong,
  });
  socket.on('error', () => {});
  await once(socket, 'open');
  socket.send('{"type":"connection_init"}');
  await once(socket, 'message');
  return socket;
}

function subscribeAll(socket: WebSocket, operations: readonly QuietOperation[]): void {
  for (const [id, payload] of operations.entries()) {
    socket.send(JSON.stringify({ id: String(id), type: 'subscribe', payload }));
  }
}

/** Leaves the subscriptions of one websocket. */
const byWebsocket =
  (leave: (socket: WebSocket, count: number) => Promise<unknown>, autoPong = true): Way =>
  async (url, operations) => {
    const socket = await openWebsocket(url, autoPong);
    subscribeAll(socket, operations);
    return async () => {
      await leave(socket, operations.length);
    };
  };

const closed = (socket: WebSocket): Promise<unknown> => once(socket, 'close');

/** Leaves the subscriptions of one HTTP response each. */
const byHttp =
  (accept: string): Way =>
  async (url, operations) => {
    const responses = await Promise.all(
      operations.map(
        (operation) =>
          new Promise<IncomingMessage>((resolve, reject) => {
            const headers = { accept, 'content-type': 'application/json' };
            const sent = request(
              `${url}/graphql`,
              { method: 'POST', headers, agent: false },
              resolve,
            );
            sent.once('error', reject);
            sent.end(JSON.stringify(operation));
          }),
      ),
    );
    return async () => {
      for (const response of responses) response.on('error', () => {}).destroy();
    };
  };

export const WAYS: Readonly<Record<string, Way>> = {
  'complete messages': byWebsocket(async (socket, count) => {
    for (let id = 0; id < count; id += 1) socket.send(`{"id":"${id}","type":"complete"}`);
    socket.close();
    await closed(socket);
  }),
  'complete messages in the same turn': async (url, operations) => {
    const socket = await openWebsocket(url);
    for (const [id, payload] of operations.entries()) {
      socket.send(JSON.stringify({ id: String(id), type: 'subscribe', payload }));
      socket.send(`{"id":"${id}","type":"complete"}`);
    }
    return async () => {
      socket.close();
      await closed(socket);
    };
  },
  'a close frame': byWebsocket(async (socket) => {
    socket.close();
    await closed(socket);
  }),
  'a TCP reset': byWebsocket(async (socket) => {
    const { _socket: tcp } = socket as unknown as { readonly _socket: Socket };
    tcp.resetAndDestroy();
    await closed(socket);
  }),
  'a closed event stream': byHttp('text/event-stream'),
  'a closed multipart response': byHttp('multipart/mixed;subscriptionSpec="1.0"'),
};

/** Stops to answer pings; the gateway then ends the websocket after 12 to 24 s. */
export const UNANSWERED_PINGS: Way = byWebsocket(closed, false);
