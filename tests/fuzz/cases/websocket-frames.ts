import { once } from 'node:events';
import type { Random } from '@gudang/testing/random';
import { WebSocket } from 'ws';
import { ANSWER_WITHIN_MS, type FuzzCase, judgeAnswer } from '../case.ts';
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
/** The end of a connection whose fault it is: all others say what the client did. */
const SERVERS_FAULT = [1011, 4500];

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

/** The gateway's, in bytes: a frame that announces more is refused. */
const MESSAGE_LIMIT = 64 * 1024;
const FILL = JSON.stringify({ type: 'ping', payload: { x: 'x'.repeat(1_000) } });

/** Messages of graphql-transport-ws and what only looks like them, some of them below the frames. */
export const websocketFrames: FuzzCase = async (random, { system, authorization }) => {
  const socket = new WebSocket(
    `${system.gateway.url.replace('http', 'ws')}/graphql`,
    'graphql-transport-ws',
  );
  let heard = '';
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  socket.on('error', () => {});
  socket.on('message', (data) => {
    heard += data;
  });
  await Promise.race([once(socket, 'open'), closed]);
  if (random.chance(0.9)) {
    socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization } }));
    // Messages before the acknowledgement close the connection: some cases want that.
    if (random.chance(0.9)) await Promise.race([once(socket, 'message'), closed]);
  }
  let spoilt = false;
  for (let count = random.between(1, 5); count > 0; count -= 1) {
    if (socket.readyState !== socket.OPEN) break;
    if (random.chance(0.05)) {
      // Past ws: a frame that is none.
      spoilt = true;
      (socket as unknown as { _socket: { write: (bytes: Buffer) => void } })._socket.write(
        mutateBytes(random, Buffer.alloc(random.between(1, 50), 0x81)),
      );
    } else socket.send(anyMessage(random));
  }
  if (socket.readyState === socket.OPEN) {
    // It may have announced a longer one, which takes all that comes as its own until it is full.
    if (spoilt) for (let sent = 0; sent < MESSAGE_LIMIT; sent += FILL.length) socket.send(FILL);
    socket.send('{"type":"ping"}');
    const heardPong = new Promise((resolve) => {
      socket.on('message', (data) => String(data).includes('"pong"') && resolve(undefined));
    });
    const late = new Promise<'late'>((resolve) => {
      setTimeout(() => resolve('late'), ANSWER_WITHIN_MS).unref();
    });
    if ((await Promise.race([heardPong, closed, late])) === 'late') {
      socket.terminate();
      return 'neither a pong nor an end came';
    }
  }
  socket.terminate();
  const code = await closed;
  return SERVERS_FAULT.includes(code) ? `closed with ${code}` : judgeAnswer(200, heard);
};
