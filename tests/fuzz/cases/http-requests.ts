import { connect } from 'node:net';
import type { Random } from '@gudang/testing/random';
import { type FuzzCase, judgeAnswer, RESPONSE_TIMEOUT_MS } from '../case.ts';
import { anyJson, anyText, mutateBytes } from '../values.ts';

const METHODS = ['GET', 'POST', 'POST', 'POST', 'PUT', 'OPTIONS', 'HEAD', 'X', 'get'];
const PATHS = [
  '/graphql',
  '/graphql',
  '/graphql?query=%7B__typename%7D',
  '/live',
  '/readyz',
  '/%zz',
  '/graphql?query=a&query=b',
  '/status',
  '//',
  '/pages/..%2f..%2fpackage.json',
];
const NAMES = [
  'content-type',
  'accept',
  'origin',
  'authorization',
  'cookie',
  'x-forwarded-for',
  'gudang-identity',
  'gudang-secret',
  'traceparent',
  'last-event-id',
  'upgrade',
  'connection',
  'sec-websocket-key',
  'transfer-encoding',
  'content-length',
  'apollo-require-preflight',
  'accept-encoding',
  'host',
  '__proto__',
];
const VALUES = [
  'application/json',
  'text/plain',
  'multipart/form-data; boundary=x',
  'application/json; charset=utf-7',
  'text/event-stream',
  'multipart/mixed;subscriptionSpec=1.0',
  '*/*',
  'websocket',
  'Upgrade',
  'chunked',
  '0',
  '-1',
  '99999999999',
  'null',
  'Bearer x',
  'Bearer ',
  '127.0.0.1',
  'eyJ9',
  'https://evil.test',
  'gzip',
];

function anyRequest(random: Random): Buffer {
  const body = random.pick([
    () => JSON.stringify(anyJson(random)),
    () => JSON.stringify({ query: '{ __typename }', variables: anyJson(random) }),
    () => '['.repeat(random.between(1, 100_000)),
    () => `{"query":"{ stockCursor }","variables":${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}}`,
    () => anyText(random, 200),
    () => '',
  ])();
  const lines = [`${random.pick(METHODS)} ${random.pick(PATHS)} HTTP/1.1`, 'host: gateway'];
  for (let count = random.between(0, 6); count > 0; count -= 1) {
    const value = random.chance(0.7)
      ? random.pick(VALUES)
      : anyText(random, 30).replace(/[\r\n]/g, '');
    lines.push(`${random.pick(NAMES)}: ${value}`);
  }
  if (random.chance(0.8)) lines.push('content-type: application/json');
  if (random.chance(0.9)) lines.push(`content-length: ${Buffer.byteLength(body)}`);
  if (random.chance(0.9)) lines.push('connection: close');
  const bytes = Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`);
  return random.chance(0.15) ? mutateBytes(random, bytes) : bytes;
}

/**
 * Sends bytes and returns the response. The response ends when the server closes the connection, or when
 * it sends nothing for 200 ms after its first bytes.
 */
function exchange(port: number, bytes: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    const giveUp = setTimeout(() => finish(), RESPONSE_TIMEOUT_MS);
    let quiet: NodeJS.Timeout | undefined;
    const finish = (): void => {
      clearTimeout(giveUp);
      clearTimeout(quiet);
      socket.destroy();
      resolve(text);
    };
    socket.on('data', (chunk) => {
      text += chunk;
      clearTimeout(quiet);
      // The server does not close a stream or a keep-alive connection. Instead, a pause ends the response.
      quiet = setTimeout(finish, 200);
    });
    socket.on('close', finish);
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') reject(error);
      finish();
    });
    // The client closes its side of the connection. Otherwise the server would wait for the rest of an
    // incomplete request.
    socket.end(bytes);
  });
}

/** Raw HTTP requests with random methods, paths, headers, framing and bodies. */
export const httpRequests: FuzzCase = async (random, { system }) => {
  const text = await exchange(system.gateway.port, anyRequest(random));
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
  // Status 501 is correct for a method that the gateway does not implement.
  return status === 501 ? undefined : judgeAnswer(status, text);
};
