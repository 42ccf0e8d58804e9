import { afterEach, beforeEach, expect, it } from 'vitest';
import { createClient, type LiveClient } from '../index.ts';
import { LiveServer } from '../testing/live-server.ts';

let server: LiveServer;
let client: LiveClient;

beforeEach(async () => {
  server = await LiveServer.start();
  client = createClient({ url: server.url });
});
afterEach(async () => {
  client.close();
  await server.stop();
});

it('sends the operation and its variables, and returns the data', async () => {
  server.answer = (body) => ({ json: { data: { received: body } } });
  const query = 'query ($id: ID!) { stock(id: $id) { id } }';
  expect(await client.query(query, { id: 'a' })).toEqual({
    received: { query, variables: { id: 'a' } },
  });
});

it('throws the errors of the response, with its partial data', async () => {
  const errors = [{ message: 'no stock', path: ['stock'], extensions: { code: 'NOT_FOUND' } }];
  server.answer = () => ({ json: { data: { stock: null }, errors } });
  await expect(client.query('{ a }')).rejects.toMatchObject({
    name: 'ClientError',
    message: 'no stock',
    code: 'NOT_FOUND',
    errors,
    data: { stock: null },
    status: 200,
    retryable: false,
  });
});

it.each([
  [502, '<html>', 'BAD_RESPONSE', true],
  [404, '', 'BAD_RESPONSE', false],
  [200, 'null', 'BAD_RESPONSE', false],
  [200, '{"data":null}', 'BAD_RESPONSE', false],
  [429, '{}', 'BAD_RESPONSE', true],
  [401, '{}', 'UNAUTHENTICATED', false],
])('throws on status %i with %s', async (status, json, code, retryable) => {
  server.answer = () => ({ status, json });
  await expect(client.query('{ a }')).rejects.toMatchObject({ code, status, retryable });
});

it('sends a refused operation once more with another token', async () => {
  const tokens = ['old', 'new'];
  client = createClient({ url: server.url, token: () => tokens.shift() ?? null });
  const refusal = { errors: [{ message: 'expired', extensions: { code: 'UNAUTHENTICATED' } }] };
  server.answer = (_, token) =>
    token === 'new' ? { json: { data: { a: 1 } } } : { status: 401, json: refusal };
  expect(await client.query('mutation { a }')).toEqual({ a: 1 });
  expect(server.tokens).toEqual(['old', 'new']);
});

it('does not repeat an operation with the same token, or one that was executed in part', async () => {
  client = createClient({ url: server.url, token: () => 'mine' });
  const errors = [{ message: 'no', extensions: { code: 'UNAUTHENTICATED' } }];
  server.answer = () => ({ status: 401, json: { errors } });
  await expect(client.query('{ a }')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  const tokens = ['old', 'new'];
  client = createClient({ url: server.url, token: () => tokens.shift() ?? null });
  server.answer = () => ({ json: { data: { a: 1, b: null }, errors } });
  await expect(client.query('mutation { a b }')).rejects.toMatchObject({ data: { a: 1, b: null } });
  expect(server.tokens).toEqual(['mine', 'old']);
});

it('sends headers', async () => {
  const seen: Headers[] = [];
  const fetch: typeof globalThis.fetch = async (_, init) => {
    seen.push(new Headers(init?.headers));
    return Response.json({ data: {} });
  };
  client = createClient({ url: server.url, fetch, headers: { a: '1', b: '1' } });
  await client.query('{ a }', null, { headers: { b: '2', 'Idempotency-Key': 'k' } });
  expect(Object.fromEntries(seen[0] ?? [])).toMatchObject({
    a: '1',
    b: '2',
    'idempotency-key': 'k',
  });
});

it('throws NETWORK_ERROR if there is no server', async () => {
  await server.stop();
  const error = await client.query('{ a }').catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'NETWORK_ERROR', retryable: true });
  await server.listen(0);
});

it('throws TIMEOUT if the server does not answer in time', async () => {
  const fetch: typeof globalThis.fetch = (_, init) =>
    new Promise((_resolve, reject) => {
      init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
    });
  client = createClient({ url: server.url, fetch, queryTimeout: 10 });
  await expect(client.query('{ a }')).rejects.toMatchObject({ code: 'TIMEOUT', retryable: true });
});

it("throws the signal's reason", async () => {
  const reason = new Error('not needed');
  await expect(client.query('{ a }', null, { signal: AbortSignal.abort(reason) })).rejects.toBe(
    reason,
  );
  const controller = new AbortController();
  server.answer = () => {
    controller.abort(reason);
    return { json: {} };
  };
  await expect(client.query('{ a }', null, { signal: controller.signal })).rejects.toBe(reason);
});
