import type { IncomingMessage, ServerResponse } from 'node:http';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startToyRegistry, type ToyRegistry } from '../testing/toy-registry.ts';
import { FetchError } from './fetch-error.ts';
import { type FetchOptions, fetchSupergraph, redirectTarget } from './fetch-supergraph.ts';

const SDL = 'type Query { täglich: Int }\n'.repeat(100);

let registry: ToyRegistry;
let other: ToyRegistry;
beforeEach(async () => {
  registry = await startToyRegistry(SDL);
  other = await startToyRegistry(SDL);
});
afterEach(async () => {
  await registry.stop();
  await other.stop();
});

const HEADERS = new Map([
  ['authorization', 'Bearer hush-1'],
  ['x-hive-cdn-key', 'hush-2'],
]);

const get = (options: Partial<FetchOptions> = {}, url = registry.url) =>
  fetchSupergraph(url, { headers: HEADERS, signal: new AbortController().signal, ...options });

/** Returns the error, after checking that it shows no credentials. */
async function failure(options?: Partial<FetchOptions>, url?: string): Promise<FetchError> {
  const error = await get(options, url).catch((reason: unknown) => reason);
  if (!(error instanceof FetchError)) throw new Error(`not a FetchError: ${error}`);
  expect(`${error.message} ${error.advice}`).not.toContain('hush');
  return error;
}

const answerWith =
  (status: number, headers: Record<string, string> = {}, body: string | Buffer = '') =>
  (_request: IncomingMessage, response: ServerResponse) =>
    response.writeHead(status, headers).end(body);

const redirect = (location: string, status = 302) => answerWith(status, { location });

describe('fetchSupergraph', () => {
  it('sends the headers, and the entity tag that it has', async () => {
    const first = await get();
    expect(first).toEqual({ sdl: SDL, etag: expect.stringMatching(/^"\w+"$/) });
    expect(await get({ etag: first?.etag })).toBeUndefined();
    const [plain, conditional] = registry.requests;
    expect(plain?.headers).toMatchObject(Object.fromEntries(HEADERS));
    expect(plain?.headers).not.toHaveProperty('if-none-match');
    expect(conditional?.headers).toMatchObject({ 'if-none-match': first?.etag });
    expect([plain?.status(), conditional?.status()]).toEqual([200, 304]);
    expect(await get({ etag: '"older"' })).toEqual(first);
  });

  it('sends the user and the password of the URL, but not beside an own header', async () => {
    const url = registry.url.replace('//', '//us%40er:pa%3Ass@');
    await get({ headers: new Map() }, url);
    await get({}, url);
    const basic = `Basic ${Buffer.from('us@er:pa:ss').toString('base64')}`;
    expect(registry.requests.map(({ headers }) => headers.authorization)).toEqual([
      basic,
      'Bearer hush-1',
    ]);
  });

  it.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
  ])('reads a body in %s', async (encoding, compress) => {
    registry.answer(answerWith(200, { 'content-encoding': encoding }, compress(SDL)));
    expect(await get()).toEqual({ sdl: SDL, etag: undefined });
    expect(registry.requests[0]?.headers['accept-encoding']).toContain(encoding);
  });

  it('limits the size of a body, also of a compressed one', async () => {
    const options = { maxBytes: 1024 * 1024 };
    const large = Buffer.alloc(options.maxBytes + 1, 'a');
    registry.answer(answerWith(200, {}, large));
    expect(await failure(options)).toMatchObject({ message: expect.stringContaining('1 MiB') });
    registry.answer(answerWith(200, { 'content-encoding': 'gzip' }, gzipSync(large)));
    expect(await failure(options)).toMatchObject({ message: expect.stringContaining('1 MiB') });
    registry.answer(answerWith(200, {}, large.subarray(1)));
    expect((await get(options))?.sdl).toHaveLength(options.maxBytes);
  });

  it.each([301, 302, 303, 307, 308])('follows a redirect with %i', async (status) => {
    registry.answer((request, response) => {
      const isFirst = request.url === '/supergraph.graphql';
      answerWith(isFirst ? status : 200, { location: '/v2?x=1' }, SDL)(request, response);
    });
    expect((await get())?.sdl).toBe(SDL);
    expect(registry.requests[1]).toMatchObject({
      method: 'GET',
      url: '/v2?x=1',
      headers: Object.fromEntries(HEADERS),
    });
  });

  it('sends no credentials to another origin, and again to the first one', async () => {
    const url = registry.url.replace('//', '//user:hush-3@');
    registry.answer((request, response) => {
      const to = request.url === '/back' ? undefined : other.url;
      (to ? redirect(to) : answerWith(200, {}, SDL))(request, response);
    });
    other.answer(redirect(new URL('/back', registry.url).href));
    expect((await get({ etag: '"e"' }, url))?.sdl).toBe(SDL);
    const [sent] = other.requests;
    expect(JSON.stringify([sent?.headers, sent?.url])).not.toContain('hush');
    expect(sent?.headers).not.toHaveProperty('authorization');
    expect(registry.requests[1]?.headers).toMatchObject(Object.fromEntries(HEADERS));
  });

  it.each([
    ['to itself without end', '/supergraph.graphql', 'redirects more than 5 times'],
    ['to another scheme', 'ftp://user:hush@127.0.0.1/s?hush', 'redirects to ftp://127.0.0.1/s'],
    ['to no URL', 'http://', 'redirects without a valid Location'],
  ])('rejects a redirect %s', async (_what, location, reason) => {
    registry.answer(redirect(location));
    expect(await failure()).toMatchObject({
      message: expect.stringContaining(reason),
      retryable: false,
    });
    expect(registry.requests.length).toBeLessThanOrEqual(6);
  });

  it('follows no redirect to an address that is less safe', () => {
    const target = (from: string, to: string) => redirectTarget(new URL(from), to).href;
    expect(target('http://a.example/s', 'https://b.example/')).toBe('https://b.example/');
    expect(target('https://a.example/s', '//b.example/')).toBe('https://b.example/');
    expect(() => target('https://a.example/s', 'http://a.example/s')).toThrow('not encrypted');
  });

  it.each([
    [401, false, 'SUPERGRAPH_HEADERS'],
    [403, false, 'SUPERGRAPH_HEADERS'],
    [404, false, 'check the address in SUPERGRAPH'],
    [204, false, 'check the server'],
    [206, false, 'check the server'],
    [304, false, 'check the server'],
    [429, true, 'check the server'],
    [500, true, 'check the server'],
    [503, true, 'check the server'],
  ])('rejects the status %i', async (status, retryable, advice) => {
    registry.answer(answerWith(status, { 'retry-after': '7' }));
    const error = await failure({}, `${registry.url}?signature=hush`);
    expect(error).toMatchObject({ retryable, advice: expect.stringContaining(advice) });
    expect(error.message).toContain(`${registry.url} answered ${status}`);
    if (retryable) expect(error.retryAfterMs).toBe(7_000);
  });

  it('waits at most five minutes if the server asks for more', async () => {
    registry.answer(answerWith(503, { 'retry-after': '999999' }));
    expect(await failure()).toMatchObject({ retryAfterMs: 300_000 });
    registry.answer(answerWith(503, { 'retry-after': 'soon' }));
    expect(await failure()).toMatchObject({ retryAfterMs: 0 });
  });

  it.each([
    ['a page', { 'content-type': 'text/html; charset=utf-8' }, SDL, 'with text/html'],
    ['an image', { 'content-type': 'image/png' }, SDL, 'with image/png'],
    ['bytes that are not UTF-8', {}, Buffer.from([0x61, 0xff]), 'not UTF-8'],
    ['a compressed file without its header', {}, gzipSync(SDL), 'not UTF-8'],
    ['damaged gzip', { 'content-encoding': 'gzip' }, Buffer.from('nonsense'), 'cannot be read'],
    [
      'incomplete gzip',
      { 'content-encoding': 'gzip' },
      gzipSync(SDL).subarray(0, 40),
      'cannot be read',
    ],
    ['an unknown encoding', { 'content-encoding': 'zstd' }, SDL, 'the unknown encoding zstd'],
  ])('rejects %s', async (_what, headers: Record<string, string>, body, reason) => {
    registry.answer(answerWith(200, headers, body));
    expect(await failure()).toMatchObject({ message: expect.stringContaining(reason) });
  });

  it('rejects a body that is cut off', async () => {
    registry.answer((_request, response) => {
      response.writeHead(200, { 'content-length': String(SDL.length * 2) });
      response.write(SDL, () => response.destroy());
    });
    expect(await failure()).toMatchObject({ retryable: true });
  });

  it.each([
    ['headers', () => {}],
    [
      'the rest of the body',
      (_request: IncomingMessage, response: ServerResponse) =>
        response.writeHead(200).write('type'),
    ],
  ])('limits the wait for %s', async (_what, handler) => {
    registry.answer(handler);
    expect(await failure({ timeoutMs: 50 })).toMatchObject({
      message: `${registry.url} did not answer completely within 0.05 s`,
      retryable: true,
    });
  });

  it('reports an unavailable server', async () => {
    await registry.stop();
    const error = await failure({}, registry.url.replace('//', '//user:hush@'));
    expect(error).toMatchObject({
      retryable: true,
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });
});
