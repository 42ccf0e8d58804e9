/**
 * Lower bound for any gateway in Node.js: a bare HTTP server that reads a request and responds with
 * fixed bytes. It runs in a process of its own and answers each message of its parent with its
 * port.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

let answer = '{}';
const server = createServer((request, response) => {
  request.setEncoding('utf8');
  let body = '';
  request.on('data', (chunk: string) => {
    body += chunk;
  });
  request.on('end', () => {
    JSON.parse(body);
    response.writeHead(200, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(answer),
    });
    response.end(answer);
  });
});
server.listen(0, '127.0.0.1', () => process.send?.({}));
process.on('message', (message: { readonly answer?: string }) => {
  answer = message.answer ?? answer;
  process.send?.({ port: (server.address() as AddressInfo).port });
});
