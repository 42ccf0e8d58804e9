import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createDemoGraph } from './demo-graph.ts';

/** Starts a server that answers every request with the body. Returns its URL and the tokens that it got. */
async function serve(status: number, body: string) {
  const tokens: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    tokens.push(request.headers.authorization);
    response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`, tokens };
}

const failed = (message: string, code: string): string =>
  JSON.stringify({ errors: [{ message, extensions: { code } }] });

describe('createDemoGraph', () => {
  it.each([
    [
      'a refused operation',
      200,
      failed('No such stock', 'NOT_FOUND'),
      /^The gateway answers: No such stock$/,
    ],
    [
      'a refused token',
      401,
      failed('The token is invalid: it has expired.', 'UNAUTHENTICATED'),
      /^The token is invalid: it has expired\. Set GUDANG_TOKEN/,
    ],
    ['a missing scope', 200, failed('Not allowed', 'FORBIDDEN'), /^Not allowed\. Set GUDANG_TOKEN/],
    ['a page', 404, '<html>', /: HTTP 404, body is not JSON: <html>; check GATEWAY_URL$/],
    ['other JSON', 200, '{"a":1}', /is no GraphQL endpoint; check GATEWAY_URL$/],
    ['null', 200, 'null', /: HTTP 200, body is not JSON: null; check GATEWAY_URL$/],
  ])('describes %s', async (_what, status, body, expected) => {
    const { url } = await serve(status, body);
    const graph = createDemoGraph({ GATEWAY_URL: url });
    await expect(graph.run('{ a }')).rejects.toThrow(expected);
  });

  it('describes a gateway that does not run', async () => {
    const graph = createDemoGraph({ GATEWAY_URL: 'http://127.0.0.1:1/graphql' });
    await expect(graph.run('{ a }')).rejects.toThrow(
      /^The gateway at http:\/\/127\.0\.0\.1:1\/graphql is unavailable \(.+\): start it with npm start/,
    );
  });

  it('reads the token from the file again for each request', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gudang-token-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, 'token');
    const { url, tokens } = await serve(200, '{"data":{}}');
    await writeFile(file, 'first\n');
    const graph = createDemoGraph({ GATEWAY_URL: url, GUDANG_TOKEN_FILE: file, GUDANG_TOKEN: 'x' });
    await graph.run('{ a }');
    await writeFile(file, 'second\n');
    await graph.run('{ a }');
    expect(tokens).toEqual(['Bearer first', 'Bearer second']);
  });

  it.each([
    [{ GATEWAY_URL: 'nonsense' }, 'GATEWAY_URL: "nonsense" is not a URL'],
    [{ GUDANG_TOKEN_FILE: '/nowhere/token' }, 'GUDANG_TOKEN_FILE: ENOENT'],
  ])('rejects %j', (env, expected) => {
    expect(() => createDemoGraph(env)).toThrow(expected);
  });
});
