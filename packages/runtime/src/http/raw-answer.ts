import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * Default headers of every response. A route can set other values. The defaults prevent a browser from
 * guessing the content type of the response, from executing or loading anything in it, and from showing
 * it in a frame.
 */
export const DEFAULT_HEADERS = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
} as const;

/**
 * Sends a JSON answer on a socket that Node's HTTP server no longer serves, and closes the socket. It
 * does so for upgrades and for requests that Node cannot parse.
 */
export function sendRawAnswer(
  socket: Duplex,
  status: number,
  answer: object,
  headers: Readonly<Record<string, string | number>> = {},
): void {
  const body = JSON.stringify(answer);
  const sent = {
    connection: 'close',
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    ...DEFAULT_HEADERS,
    ...headers,
  };
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    ...Object.entries(sent).map(([name, value]) => `${name}: ${value}`),
  ];
  // The process never reads from this socket and would not notice that the client closes it. The socket
  // is therefore destroyed as soon as the response is sent.
  socket.once('finish', () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

const UNREADABLE: Readonly<Record<string, readonly [status: number, message: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request did not arrive in time'],
  HPE_HEADER_OVERFLOW: [431, 'The headers of the request are too large'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'The chunk extensions of the request are too large'],
};

/** Answers a request that Node cannot parse. */
export function answerClientError({ code }: { readonly code?: string }, socket: Duplex): void {
  // After the head of another answer, these bytes would become a part of that answer.
  const { _httpMessage: current } = socket as { _httpMessage?: { headersSent: boolean } | null };
  const isAnswering = current?.headersSent === true;
  if (code === 'ECONNRESET' || !socket.writable || isAnswering) {
    socket.destroy();
    return;
  }
  const [status, message] = UNREADABLE[String(code)] ?? [400, 'The request is not valid HTTP/1.1'];
  sendRawAnswer(socket, status, { errors: [{ message, extensions: { code: 'BAD_REQUEST' } }] });
}
