import { once } from 'node:events';
import type { Random } from '@gudang/testing/random';
import { WebSocket } from 'ws';
import { type FuzzCase, judgeAnswer, RESPONSE_TIMEOUT_MS } from '../case.ts';
import { anyJson, anyText, mutateBytes, mutateText } from '../values.ts';
import { anyOperation } from './documents.ts';

const TYPES = [
  'connection_init',
  'subscribe',
  'subscribe',
  'subscribe',
  'complete',
  'ping',
  'pong',
  'next',
  'x',
];
/** Close codes that report a server error. All other codes report a client error. */
const SERVER_ERRORS = [1011, 4500];

function anyMessage(random: Random): string | Buffer {
  const message = JSON.stringify({
    ...(random.chance(0.8) ? { id: random.pick(['1', '2', anyText(random, 5), '']) } : {}),
    type: random.chance(0.9) ? random.pick(TYPES) : anyJson(random, 1),
    ...(random.chance(0.8)
      ? { payload: random.chance(0.7) ? anyOperation(random) : anyJson(random) }
      : {}),
  });
  return random.pick<() => string | Buffer>([
    () => message,
    () => message,
    () => message,
    () => mutateText(random, message),
    () => mutateBytes(random, Buffer.from(message)),
    () => anyText(random, 100),
    () => `{"type":"ping","payload":{"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}}`,
  ])();
}

/** Maximum size of a message that the gateway accepts, in bytes. */
const MESSAGE_LIMIT = 64 * 1024;
const FILL = JSON.stringify({ type: 'ping', payload: { x: 'x'.repeat(1_000) } });

/** Sends valid and invalid graphql-transport-ws messages, and invalid websocket frames. */
export const websocketFrames: FuzzCase = async (random, { system, authorization }) => {
  const socket = new WebSocket(
    `${system.gateway.url.replace('http', 'ws')}/graphql`,
    'graphql-transport-ws',
  );
  let received = '';
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  socket.on('error', () => {});
  socket.on('message', (data) => {
    received += data;
  });
  await Promise.race([once(socket, 'open'), closed]);
  if (random.chance(0.9)) {
    socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization } }));
    // Some cases do not wait for the acknowledgement. The gateway may then close the connection.
    if (random.chance(0.9)) await Promise.race([once(socket, 'message'), closed]);
  }
  let damaged = false;
  for (let count = random.between(1, 5); count > 0; count -= 1) {
    if (socket.readyState !== socket.OPEN) break;
    if (random.chance(0.05)) {
      // The package ws cannot send invalid frames, so the case writes to the TCP socket directly.
      damaged = true;
      (socket as unknown as { _socket: { write: (bytes: Buffer) => void } })._socket.write(
        mutateBytes(random, Buffer.alloc(random.between(1, 50), 0x81)),
      );
    } else socket.send(anyMessage(random));
  }
  if (socket.readyState === socket.OPEN) {
    // A damaged frame may announce a length that includes later messages. The server would wait for the
    // rest of the frame, so these bytes complete it.
    if (damaged) for (let sent = 0; sent < MESSAGE_LIMIT; sent += FILL.length) socket.send(FILL);
    socket.send('{"type":"ping"}');
    const heardPong = new Promise((resolve) => {
      socket.on('message', (data) => String(data).includes('"pong"') && resolve(undefined));
    });
    const late = new Promise<'late'>((resolve) => {
      setTimeout(() => resolve('late'), RESPONSE_TIMEOUT_MS).unref();
    });
    if ((await Promise.race([heardPong, closed, late])) === 'late') {
      socket.terminate();
      return 'no pong and no close within the time-out';
    }
  }
  socket.terminate();
  const code = await closed;
  return SERVER_ERRORS.includes(code) ? `closed with ${code}` : judgeAnswer(200, received);
};
