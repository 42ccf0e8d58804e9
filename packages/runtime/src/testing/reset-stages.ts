import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { clientFrame, openRawWebsocket, type RawWebsocket } from './raw-websocket.ts';

const HANDSHAKE =
  'GET /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n';

interface ResetOptions {
  readonly url: string;
  /** The text of a valid `connection_init`. */
  readonly init: string;
  /** The text of a `subscribe` message whose operation does not end. */
  readonly subscribe: string;
}

async function send(url: string, text: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  if (text !== '') socket.write(text);
  await once(socket, 'connect');
  return socket;
}

/** Resolves when the client has received a number of frames. */
async function received({ socket, frames }: RawWebsocket, count: number): Promise<void> {
  while (frames.length < count) await once(socket, 'data');
}

async function acknowledged({ url, init }: ResetOptions): Promise<RawWebsocket> {
  const client = await openRawWebsocket(url);
  client.send(init);
  await received(client, 1);
  return client;
}

/** Stages of a websocket, by name. Each function connects and reaches its stage. */
const STAGES: readonly (readonly [string, (options: ResetOptions) => Promise<Socket>])[] = [
  ['before the request', ({ url }) => send(url, '')],
  ['within the request', ({ url }) => send(url, HANDSHAKE)],
  ['after an incomplete handshake', ({ url }) => send(url, `${HANDSHAKE}\r\n`)],
  [
    'after a handshake at another path',
    ({ url }) => send(url, `${HANDSHAKE.replace('/graphql', '/elsewhere')}\r\n`),
  ],
  ['after the handshake', async ({ url }) => (await openRawWebsocket(url)).socket],
  [
    'after connection_init',
    async ({ url, init }) => {
      const client = await openRawWebsocket(url);
      client.send(init);
      return client.socket;
    },
  ],
  ['after connection_ack', async (options) => (await acknowledged(options)).socket],
  [
    'within an operation',
    async (options) => {
      const client = await acknowledged(options);
      client.send(options.subscribe);
      return client.socket;
    },
  ],
  [
    'within a frame',
    async (options) => {
      const client = await acknowledged(options);
      client.socket.write(clientFrame(options.subscribe).subarray(0, 20));
      return client.socket;
    },
  ],
  [
    "after the server's close frame",
    async (options) => {
      const client = await acknowledged(options);
      client.send('{');
      await received(client, 2);
      return client.socket;
    },
  ],
];

/**
 * The stages of a websocket at which its client may reset the connection. `reset` connects, reaches the
 * stage and resets the connection, 20 times.
 */
export const RESET_STAGES = STAGES.map(([stage, reach]) => ({
  stage,
  reset: async (options: ResetOptions): Promise<void> => {
    for (let tries = 0; tries < 20; tries += 1) (await reach(options)).resetAndDestroy();
  },
}));
