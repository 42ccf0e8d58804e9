import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { RequestError } from '../../../errors/request-error.ts';

/** Answers over HTTP, to whoever asked for a websocket, why there is none. */
export function refuseUpgrade(socket: Duplex, error: RequestError): void {
  const body = JSON.stringify({ errors: [error.toJSON()] });
  const { status, retryAfterS } = error;
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'connection: close',
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    ...(retryAfterS === undefined ? [] : [`retry-after: ${retryAfterS}`]),
  ];
  // Whoever goes away meanwhile needs no answer.
  socket.on('error', () => socket.destroy());
  // Nothing reads what the client sends, so its goodbye would not be seen.
  socket.once('finish', () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
