import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { createClient } from 'graphql-ws';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startTestGateway, type TestGateway } from '../testing/running-gateway.ts';
import { composeToys, startToyGraph } from '../testing/toy-graph.ts';

let toys: Awaited<ReturnType<typeof startToyGraph>>;
let gateway: TestGateway;

beforeAll(async () => {
  toys = await startToyGraph();
  gateway = await startTestGateway(composeToys(toys.items.url, toys.ratings.url));
});
afterAll(async () => {
  await gateway.stop();
  await toys.stop();
});
afterEach(() => {
  toys.mutations.length = 0;
});

const TOUCH = 'mutation($id: ID!) { touch(id: $id) { id name } }';
const ANSWER = { data: { touch: { id: '1', name: 'item 1' } } };
const body = { query: TOUCH, variables: { id: '1' } };

it('is passed to the marked argument, with a plan that all keys share', async () => {
  const answers = [];
  for (const key of ['a', 'b', 'c']) {
    answers.push(await gateway.post(body, { 'idempotency-key': key }));
  }
  expect(answers).toEqual(answers.map(() => ({ status: 200, ...ANSWER })));
  expect(toys.mutations).toEqual(['a', 'b', 'c'].map((request) => ({ id: '1', request })));
  // The same request without the header must not get the key of an earlier one.
  await gateway.post(body);
  expect(toys.mutations.at(-1)).toEqual({ id: '1' });
});

it('is passed over server-sent events and for a persisted query', async () => {
  const events = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      'idempotency-key': 'sse',
    },
    body: JSON.stringify(body),
  });
  expect(await events.text()).toContain(JSON.stringify(ANSWER));
  const sha256Hash = createHash('sha256').update(TOUCH).digest('hex');
  const extensions = { persistedQuery: { version: 1, sha256Hash } };
  await gateway.post({ ...body, extensions }, { 'idempotency-key': 'stored' });
  const { data } = await gateway.post(
    { variables: body.variables, extensions },
    { 'idempotency-key': 'by id' },
  );
  expect(data).toEqual(ANSWER.data);
  const keys = toys.mutations.map(({ request }) => request);
  expect(keys).toEqual(['sse', 'stored', 'by id']);
});

it('has no effect on a query, even if it is malformed or repeated', async () => {
  const query = '{ items(first: 1) { id } }';
  expect((await gateway.post({ query }, { 'idempotency-key': '' })).status).toBe(200);
  const get = `${gateway.url}/graphql?${new URLSearchParams({ query })}`;
  const headers = { 'apollo-require-preflight': '1', 'idempotency-key': 'a' };
  expect((await fetch(get, { headers })).status).toBe(200);
});

it.each<[string, object, string[], RegExp]>([
  ['a repeated header', body, ['a', 'a'], /must be one header with printable ASCII/],
  ['an empty header', body, [''], /must be one header with printable ASCII/],
  ['a mutation without a mark', { query: 'mutation { count }' }, ['a'], /'count' takes no idem/],
  [
    'several root fields',
    { query: 'mutation { a: touch(id: 1) { id } b: touch(id: 1) { id } }' },
    ['a'],
    /several root fields/,
  ],
  [
    'another key as argument',
    { query: 'mutation { touch(id: 1, request: "b") { id } }' },
    ['a'],
    /another idempotency key/,
  ],
])('answers 400 to %s, and executes nothing', async (_what, sent, keys, message) => {
  const { status, text } = await postRaw(sent, keys);
  expect(status).toBe(400);
  const { errors } = JSON.parse(text);
  expect(errors).toEqual([
    { message: expect.stringMatching(message), extensions: { code: 'BAD_REQUEST' } },
  ]);
  expect(toys.mutations).toEqual([]);
});

it('is ignored on the handshake of a websocket, whose operations pass keys as arguments', async () => {
  class WithHeader extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols, { headers: { 'idempotency-key': 'handshake' } });
    }
  }
  const client = createClient({ url: gateway.wsUrl, webSocketImpl: WithHeader, retryAttempts: 0 });
  const answers: unknown[] = [];
  for await (const answer of client.iterate(body)) answers.push(answer);
  await client.dispose();
  expect(answers).toEqual([ANSWER]);
  expect(toys.mutations).toEqual([{ id: '1' }]);
});

it('is passed to the argument that a changed supergraph marks', async () => {
  const sdl = composeToys(toys.items.url, toys.ratings.url, (text) =>
    text.replace(
      'note: String, request: String @retryKey',
      'note: String @retryKey, request: String',
    ),
  );
  await gateway.change(sdl);
  await expect
    .poll(async () => {
      await gateway.post(body, { 'idempotency-key': 'moved' });
      return toys.mutations.at(-1);
    })
    .toEqual({ id: '1', note: 'moved' });
});

/** Sends a POST whose headers `fetch` would join. */
function postRaw(sent: object, keys: string[]): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sending = request(
      `${gateway.url}/graphql`,
      { method: 'POST', headers: { 'content-type': 'application/json', 'idempotency-key': keys } },
      async (response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk as Buffer);
        resolve({ status: response.statusCode ?? 0, text: String(Buffer.concat(chunks)) });
      },
    );
    sending.on('error', reject);
    sending.end(JSON.stringify(sent));
  });
}
