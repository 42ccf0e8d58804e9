import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createGraphClient } from './graph-client.ts';

const servers: { close: () => void }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

type Answer = readonly [status: number, body: unknown];

/** Starts a server with the given answers, and then the last one again. */
async function clientOf(...answers: readonly Answer[]) {
  let next = 0;
  const server = createServer((request, response) => {
    request.resume();
    const [status, body] = answers[Math.min(next, answers.length - 1)] ?? [500, ''];
    next += 1;
    response.writeHead(status, { 'retry-after': '0', connection: 'close' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push(server);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
  return createGraphClient({ url, token: undefined, giveUpMs: 300 });
}
const errors = (message: string, extensions: object) => ({ errors: [{ message, extensions }] });
const run = async (...answers: readonly Answer[]) =>
  (await clientOf(...answers)).run<unknown>('{ a }', {});

describe('createGraphClient', () => {
  it.each([
    ['429', 429, errors('Too many.', { code: 'RATE_LIMITED', retryable: true })],
    ['503 without GraphQL', 503, 'Service Unavailable'],
    ['a retryable error of a field', 200, errors('Later.', { retryable: true })],
  ])('repeats an operation after %s', async (_name, status, body) => {
    expect(await run([status, body], [200, { data: { a: 1 } }])).toEqual({ a: 1 });
  });

  it('knows that an operation was not executed only if the first attempt was rejected', async () => {
    const rejection: Answer = [403, errors('No scope.', { code: 'FORBIDDEN' })];
    await expect(run(rejection)).rejects.toMatchObject({ isRejected: true });
    await expect(run([503, 'x'], rejection)).rejects.toMatchObject({ isRejected: false });
    await expect(run([200, errors('No.', {})])).rejects.toMatchObject({ isRejected: false });
  });

  it.each<[string, number, unknown, string]>([
    ['a missing token', 401, errors('No token.', { code: 'UNAUTHENTICATED' }), 'Set GUDANG_TOKEN'],
    [
      'missing scopes',
      403,
      errors('No scope.', { code: 'FORBIDDEN' }),
      'rejected the operation: No scope.',
    ],
    ['a page that is no GraphQL', 404, '<html>', 'answers with status 404 and no GraphQL'],
    ['an unavailable gateway', 503, 'x', 'is unavailable: status 503'],
  ])('fails after %s', async (_name, status, body, message) => {
    await expect(run([status, body])).rejects.toThrow(message);
  });
});
