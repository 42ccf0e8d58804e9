import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../testing/running-gateway.ts';
import { composeToys } from '../testing/toy-graph.ts';

let subgraph: Server;
let gateway: TestGateway;
let answer: (response: ServerResponse, request: IncomingMessage) => void;

beforeAll(async () => {
  subgraph = createServer((request, response) => {
    request.resume().on('end', () => answer(response, request));
  });
  subgraph.listen(0, '127.0.0.1');
  await once(subgraph, 'listening');
  const url = `http://127.0.0.1:${(subgraph.address() as AddressInfo).port}/graphql`;
  gateway = await startTestGateway(composeToys(url), {
    SUBGRAPH_TIMEOUT_MS: '300',
    SUBGRAPH_LIMITS: '*:breakerFailures=0',
    LIMIT_ANSWER_KIB: '64',
  });
});
afterAll(async () => {
  await gateway.stop();
  subgraph.closeAllConnections();
  subgraph.close();
});

let count = 0;
/** Sends a query that shares no request. */
const ask = (selection: string) => {
  count += 1;
  return gateway.post({ query: `query Q${count} { ${selection} }` });
};
const json = (value: unknown) => (response: ServerResponse) =>
  response.setHeader('content-type', 'application/json').end(JSON.stringify(value));
const UNAVAILABLE = { extensions: { code: 'UNAVAILABLE', serviceName: 'items' } };

describe('an answer of a subgraph', () => {
  it.each([
    ['text', (response: ServerResponse) => response.end('<html>'), 'is not GraphQL'],
    ['nothing', (response: ServerResponse) => response.end(), 'is not GraphQL'],
    ['a list', json([]), 'is not GraphQL'],
    ['null', json(null), 'is not GraphQL'],
    ['data that is a list', json({ data: [] }), 'is not GraphQL'],
    ['data that is text', json({ data: 'x' }), 'is not GraphQL'],
    ['errors that are no list', json({ data: null, errors: 'no' }), 'is not GraphQL'],
    ['errors that contain null', json({ data: null, errors: [null] }), 'is not GraphQL'],
    [
      'an error without a message',
      json({ data: null, errors: [{ message: 5 }] }),
      'is not GraphQL',
    ],
    [
      'compressed JSON',
      (response: ServerResponse) =>
        response.setHeader('content-encoding', 'gzip').end(gzipSync('{"data": {"hello": "x"}}')),
      'is not GraphQL',
    ],
    [
      'JSON with more bytes',
      (response: ServerResponse) => response.end('{"data": {"hello": "x"}}more'),
      'is not GraphQL',
    ],
    [
      'half of JSON',
      (response: ServerResponse) => response.end('{"data": {"hel'),
      'is not GraphQL',
    ],
    [
      'a redirect',
      (response: ServerResponse) => response.writeHead(302, { location: '/' }).end(),
      'is not GraphQL',
    ],
    [
      'one byte, and no more',
      (response: ServerResponse) => response.write('{'),
      'did not answer within 300 ms',
    ],
    [
      'a body that breaks off',
      (response: ServerResponse) => {
        response.writeHead(200, { 'content-length': 100 }).write('{');
        response.socket?.destroySoon();
      },
      'closed the connection',
    ],
  ])('that is %s leads to an error that names the subgraph', async (_what, odd, reason) => {
    answer = odd;
    const { data, errors } = await ask('hello(name: "x")');
    expect(data).toEqual({ hello: null });
    expect(errors).toMatchObject([UNAVAILABLE]);
    expect(errors?.[0]?.message).toContain(reason);
  });

  it('is read with any content type', async () => {
    answer = (response) =>
      response.setHeader('content-type', 'text/plain').end('{"data": {"hello": "x"}}');
    expect((await ask('hello(name: "x")')).data).toEqual({ hello: 'x' });
  });

  it('ends at the deadline if it arrives byte by byte', async () => {
    answer = (response) => {
      const drip = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(drip));
    };
    expect((await ask('hello(name: "x")')).errors).toMatchObject([UNAVAILABLE]);
  });

  it.each([
    ['text for an object', { item: 'x' }],
    ['an object for a value', { item: { name: { deep: [1] } } }],
    ['a number for a type name', { item: { __typename: 5, name: 'x' } }],
    ['an object for a list', { items: {} }],
  ])('with %s fails only its own request', async (_what, data) => {
    answer = json({ data });
    const selection = 'items' in data ? 'items { name }' : 'item(id: "1") { name }';
    const { status, errors } = await ask(selection);
    expect(status).toBe(200);
    expect(errors?.length).toBeGreaterThan(0);
    answer = json({ data: { hello: 'x' } });
    expect((await ask('hello(name: "x")')).data).toEqual({ hello: 'x' });
  });

  it('nested too deeply does not end the process', async () => {
    const depth = 20_000;
    answer = (response) =>
      response.end(`{"data": {"hello": ${'['.repeat(depth)}${']'.repeat(depth)}}}`);
    expect((await ask('hello(name: "x")')).errors?.length).toBe(1);
    answer = json({ data: { hello: 'x' } });
    expect((await ask('hello(name: "x")')).data).toEqual({ hello: 'x' });
  });

  it.each([
    ['no entities', []],
    ['too many entities', [null, null]],
    ['text for the entities', 'none'],
    ['text for an entity', ['x']],
  ])('with %s is reported', async (_what, entities) => {
    let isFirst = true;
    answer = (response) => {
      json({ data: isFirst ? { best: { __typename: 'Item', id: '1' } } : { _entities: entities } })(
        response,
      );
      isFirst = false;
    };
    expect((await ask('best { name }')).errors?.length).toBeGreaterThan(0);
  });
});
