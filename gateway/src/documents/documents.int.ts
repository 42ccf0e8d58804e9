import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PROTOCOLS, type StreamRequest } from '../testing/protocol-clients.ts';
import { startTestGateway, type TestGateway } from '../testing/running-gateway.ts';
import { composeToys, startToyGraph } from '../testing/toy-graph.ts';

let toys: Awaited<ReturnType<typeof startToyGraph>>;
let folder: string;
let gateway: TestGateway;

beforeAll(async () => {
  toys = await startToyGraph();
  toys.publish('7');
  folder = await mkdtemp(join(tmpdir(), 'documents-'));
});
afterEach(() => gateway.stop());
afterAll(async () => {
  await toys.stop();
  await rm(folder, { recursive: true });
});

async function start(environment: Record<string, string> = {}): Promise<void> {
  gateway = await startTestGateway(composeToys(toys.items.url, toys.ratings.url), environment);
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const named = (sha256Hash: string) => ({
  extensions: { persistedQuery: { version: 1, sha256Hash } },
});

async function get(
  asked: Record<string, unknown>,
  headers: Record<string, string> = { 'apollo-require-preflight': 'yes' },
) {
  const pairs = Object.entries(asked).map(([name, value]): [string, string] => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  const response = await fetch(`${gateway.url}/graphql?${new URLSearchParams(pairs)}`, { headers });
  return (await response.json()) as object;
}

/** Returns the first message of a stream. */
async function first(open: (typeof PROTOCOLS)[number][1], request: object): Promise<unknown> {
  const stream = open(gateway.url, request as StreamRequest);
  const came = await stream.take();
  stream.leave();
  return came;
}

const QUERY = '{ hello(name: "you") }';
const FEED = 'subscription { itemFeed(after: "p0") { n } }';
const HELLO = { data: { hello: 'hello you' } };
const EVENT = { data: { itemFeed: { n: 1 } } };
const failure = (code: string) => ({ errors: [{ extensions: { code } }] });

describe('automatic persisted queries', () => {
  it('are stored over HTTP, and found by POST and GET', async () => {
    await start();
    expect(await gateway.post(named(sha256(QUERY)))).toMatchObject(
      failure('PERSISTED_QUERY_NOT_FOUND'),
    );
    expect(await gateway.post({ query: QUERY, ...named(sha256(QUERY)) })).toMatchObject(HELLO);
    expect(await gateway.post(named(sha256(QUERY)))).toMatchObject(HELLO);
    expect(await get(named(sha256(QUERY)))).toMatchObject(HELLO);
  });

  it.each(PROTOCOLS)('are stored and found over %s', async (protocol, open) => {
    await start();
    const query = protocol === 'multipart' ? undefined : '';
    const byId = { ...(query === undefined ? {} : { query }), ...named(sha256(FEED)) };
    if (protocol !== 'multipart') {
      expect(await first(open, byId)).toMatchObject(failure('PERSISTED_QUERY_NOT_FOUND'));
    }
    expect(await first(open, { query: FEED, ...named(sha256(FEED)) })).toEqual(EVENT);
    expect(await first(open, byId)).toEqual(EVENT);
  });

  it.each([{ version: 2, sha256Hash: 'x' }, { version: 1 }, 'x', [], 7])(
    'are rejected if persistedQuery is malformed: %j',
    async (persistedQuery) => {
      await start();
      for (const request of [{ query: QUERY }, {}]) {
        expect(await gateway.post({ ...request, extensions: { persistedQuery } })).toMatchObject({
          status: 400,
          ...failure('BAD_REQUEST'),
        });
      }
    },
  );

  it('are not stored by a GET that any website could send', async () => {
    await start();
    const request = { query: QUERY, ...named(sha256(QUERY)) };
    expect(await get(request, {})).toMatchObject(failure('BAD_REQUEST'));
    expect(await gateway.post(named(sha256(QUERY)))).toMatchObject(
      failure('PERSISTED_QUERY_NOT_FOUND'),
    );
    expect(await get(request)).toMatchObject(HELLO);
    expect(await gateway.post(named(sha256(QUERY)))).toMatchObject(HELLO);
  });

  it('are rejected if the hash does not match the text', async () => {
    await start();
    expect(await gateway.post({ query: QUERY, ...named(sha256(FEED)) })).toMatchObject({
      status: 400,
      errors: [{ message: 'provided sha does not match query' }],
    });
    expect(await gateway.post(named(sha256(FEED)))).toMatchObject(
      failure('PERSISTED_QUERY_NOT_FOUND'),
    );
  });
});

describe('a safelist', () => {
  const OPERATIONS = [QUERY, FEED, 'mutation { rename(input: {id: "1", name: "x"}) { id } }'];
  async function startTrusting(): Promise<void> {
    const manifest = join(folder, 'manifest.json');
    await writeFile(
      manifest,
      JSON.stringify({
        format: 'apollo-persisted-query-manifest',
        version: 1,
        operations: OPERATIONS.map((body) => ({
          id: sha256(body),
          name: 'X',
          type: 'query',
          body,
        })),
      }),
    );
    await start({ TRUSTED_DOCUMENTS: manifest });
  }

  it('accepts operations over HTTP by id and by text', async () => {
    await startTrusting();
    expect(await gateway.post(named(sha256(QUERY)))).toMatchObject(HELLO);
    expect(await gateway.post({ query: QUERY })).toMatchObject(HELLO);
    expect(await get(named(sha256(QUERY)))).toMatchObject(HELLO);
    expect(await get({ query: QUERY })).toMatchObject(HELLO);
  });

  const OTHER = '{ best { id } }';
  const others: [string, object, string][] = [
    ['another text', { query: OTHER }, 'QUERY_NOT_IN_SAFELIST'],
    ['the same text with one more space', { query: `${QUERY} ` }, 'QUERY_NOT_IN_SAFELIST'],
    ['introspection', { query: '{ __schema { types { name } } }' }, 'QUERY_NOT_IN_SAFELIST'],
    ['an unknown id', named(sha256(OTHER)), 'PERSISTED_QUERY_NOT_IN_LIST'],
    [
      'a text under its own id',
      { query: OTHER, ...named(sha256(OTHER)) },
      'PERSISTED_QUERY_NOT_IN_LIST',
    ],
    [
      'a text under the id of another text',
      { query: OTHER, ...named(sha256(QUERY)) },
      'PERSISTED_QUERY_NOT_IN_LIST',
    ],
    ['__proto__ as id', named('__proto__'), 'PERSISTED_QUERY_NOT_IN_LIST'],
  ];
  it.each(others)('rejects %s', async (_what, request, code) => {
    await startTrusting();
    expect(await gateway.post(request)).toMatchObject({ status: 400, ...failure(code) });
    expect(await get(request as Record<string, unknown>)).toMatchObject(failure(code));
    for (const [protocol, open] of PROTOCOLS) {
      const asked = protocol === 'graphql-transport-ws' ? { query: '', ...request } : request;
      const came = await first(open, asked);
      if (came !== 'lost') expect(came).toMatchObject(failure(code));
      else expect(protocol).toBe('multipart');
    }
  });

  it.each(PROTOCOLS)('accepts operations over %s', async (protocol, open) => {
    await startTrusting();
    expect(await first(open, { query: FEED })).toEqual(EVENT);
    const empty = protocol === 'graphql-transport-ws' ? { query: '' } : {};
    expect(await first(open, { ...empty, ...named(sha256(FEED)) })).toEqual(EVENT);
  });

  it.each([
    ['does not exist', undefined],
    ['is not JSON', '{'],
    ['is JSON of another format', '{"operations": {}}'],
    [
      'has an operation without a body',
      '{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [{"id": "x"}]}',
    ],
  ])('cannot be loaded from a file that %s', async (_what, text) => {
    const manifest = join(folder, 'bad.json');
    await rm(manifest, { force: true });
    if (text !== undefined) await writeFile(manifest, text);
    await expect(start({ TRUSTED_DOCUMENTS: manifest })).rejects.toThrow(/^TRUSTED_DOCUMENTS: /);
    await start();
  });
});
