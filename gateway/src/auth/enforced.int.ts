import { SECRET_HEADER } from '@gudang/auth';
import { signToken, TOKEN_SETTINGS } from '@gudang/auth/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { composeMarkedToys } from '../testing/marked-toys.ts';
import { PROTOCOLS, type ProtocolStream } from '../testing/protocol-clients.ts';
import { startTestGateway, type TestGateway } from '../testing/running-gateway.ts';
import { composeToys, startToyGraph } from '../testing/toy-graph.ts';

/** Polls with a time-out that is long enough for a busy machine. */
const soon = <T>(look: () => T) => expect.poll(look, { timeout: 10_000, interval: 10 });

const SUBGRAPH_SECRET = 'between the gateway and the toys';

let toys: Awaited<ReturnType<typeof startToyGraph>>;
let gateway: TestGateway;
const streams: ProtocolStream[] = [];

beforeAll(async () => {
  toys = await startToyGraph();
  const sdl = composeMarkedToys(toys.items.url, toys.ratings.url);
  gateway = await startTestGateway(sdl, { ...TOKEN_SETTINGS, SUBGRAPH_SECRET });
});
afterAll(async () => {
  await gateway.stop();
  await toys.stop();
});
afterEach(() => {
  for (const stream of streams.splice(0)) stream.leave();
  toys.items.requests.length = 0;
});

const bearer = async (scope?: string): Promise<string> =>
  `Bearer ${await signToken({ sub: 'Siti', ...(scope ? { scope } : {}) })}`;

const RENAME = 'mutation { rename(input: { id: "1", name: "x" }) { name } }';

describe('a gateway whose subgraphs enforce nothing', () => {
  it.each<[string, string, string | undefined, number, string | undefined]>([
    [
      'an unmarked field without a token',
      '{ item(id: 1) { name rating } }',
      undefined,
      200,
      undefined,
    ],
    [
      'a field that requires a token, without a token',
      '{ items { id } }',
      undefined,
      401,
      'UNAUTHENTICATED',
    ],
    ['a field that requires a token, with a token', '{ items { id } }', 'any', 200, undefined],
    ['a field that requires a scope, without a token', RENAME, undefined, 401, 'UNAUTHENTICATED'],
    ['a field that requires a scope, with another scope', RENAME, 'items:read', 403, 'FORBIDDEN'],
    ['a field that requires a scope, with this scope', RENAME, 'x items:write', 200, undefined],
  ])('checks access over HTTP to %s', async (_what, query, scope, status, code) => {
    const headers = scope ? { authorization: await bearer(scope) } : undefined;
    const answer = await gateway.post({ query }, headers);
    expect(answer).toMatchObject({ status });
    expect(answer.errors?.[0]?.extensions?.['code']).toBe(code);
    expect(answer.data === undefined).toBe(code !== undefined);
    expect(toys.items.requests.length).toBe(code === undefined ? 1 : 0);
  });

  it('names the missing scopes and the fields in the error', async () => {
    const authorization = await bearer();
    const { errors } = await gateway.post({ query: RENAME }, { authorization });
    expect(errors).toEqual([
      {
        message: 'Mutation.rename needs a token with the scope items:write',
        extensions: {
          code: 'FORBIDDEN',
          scopes: [['items:write']],
          fields: ['Mutation.rename'],
        },
      },
    ]);
  });

  it.each(['expired', 'forged'])('rejects every request with a token that is %s', async (kind) => {
    const made = await signToken(
      { sub: 'Siti' },
      kind === 'expired' ? { expiresIn: -10 } : { key: Buffer.from('x'.repeat(32)) },
    );
    const response = await fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${made}` },
      body: JSON.stringify({ query: '{ __typename }' }),
    });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
    expect(await response.json()).toMatchObject({
      errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
    });
  });

  it("sends its own secret and identity headers to subgraphs, not the client's", async () => {
    await gateway.post(
      { query: '{ items { id } }', extensions: { gudang: { identity: { subject: 'root' } } } },
      {
        authorization: await bearer('b a'),
        'gudang-identity': Buffer.from('{"subject":"root","scopes":["all"]}').toString('base64url'),
        'gudang-secret': 'a guess',
      },
    );
    const headers = toys.items.requests[0]?.headers ?? {};
    expect(headers[SECRET_HEADER]).toBe(SUBGRAPH_SECRET);
    expect(headers).not.toHaveProperty('authorization');
    const sent = Buffer.from(String(headers['gudang-identity']), 'base64url').toString();
    expect(JSON.parse(sent)).toEqual({ subject: 'Siti', scopes: ['a', 'b'] });
  });
});

describe.each(PROTOCOLS)('the gateway over %s', (protocol, open) => {
  const start = async (query: string, authorization?: string) => {
    const stream = open(gateway.url, { query }, authorization);
    streams.push(stream);
    return stream;
  };

  it.each([
    [
      'a stream that requires a token, without a token',
      'subscription { itemFeed { n } }',
      undefined,
      'UNAUTHENTICATED',
    ],
    [
      'a stream that requires a scope, with another scope',
      'subscription { other }',
      'items:read',
      'FORBIDDEN',
    ],
    [
      'a field of events, with only some of its scopes',
      'subscription { itemFeed { tag } }',
      'a',
      'FORBIDDEN',
    ],
  ])('rejects %s', async (_what, query, scope, code) => {
    const stream = await start(query, scope && (await bearer(scope)));
    expect(await stream.take()).toMatchObject({ errors: [{ extensions: { code } }] });
    expect(toys.subscribed).toEqual([]);
  });

  it('runs a stream for a caller with the required scope', async () => {
    const stream = await start('subscription { other }', await bearer('items:watch'));
    await soon(() => toys.changes.listening()).toBe(1);
    toys.changes.publish({ id: '1', delta: 7 });
    expect(await stream.take()).toMatchObject({ data: { other: 7 } });
    stream.leave();
    await soon(() => toys.changes.listening()).toBe(0);
    toys.subscribed.length = 0;
  });

  it.runIf(protocol !== 'multipart')(
    'rejects a mutation without the required scope, and runs it with that scope',
    async () => {
      const refused = await start(RENAME, await bearer('items:read'));
      expect(await refused.take()).toMatchObject({
        errors: [{ extensions: { code: 'FORBIDDEN' } }],
      });
      const run = await start(RENAME, await bearer('items:write'));
      expect(await run.take()).toMatchObject({ data: { rename: { name: 'x' } } });
    },
  );

  it('rejects an invalid token', async () => {
    const expired = `Bearer ${await signToken({ sub: 'Siti' }, { expiresIn: -10 })}`;
    const stream = await start('subscription { refused(code: "x") }', expired);
    expect(await stream.take()).toBe('lost');
  });
});

it('ends only the streams whose callers do not meet the requirements of a changed supergraph', async () => {
  const plain = composeToys(toys.items.url, toys.ratings.url);
  const changing = await startTestGateway(plain, { ...TOKEN_SETTINGS, SUBGRAPH_SECRET });
  const [, websocket] = PROTOCOLS[0] ?? [];
  if (!websocket) throw new Error('no websocket is open');
  const query = 'subscription { itemFeed { n } }';
  const anybody = websocket(changing.url, { query });
  const somebody = websocket(changing.url, { query }, await bearer());
  try {
    await soon(() => toys.feedListening()).toBe(2);
    await changing.change(composeMarkedToys(toys.items.url, toys.ratings.url));
    expect(await anybody.take()).toMatchObject({
      errors: [{ extensions: { code: 'UNAUTHENTICATED', fields: ['FeedEvent.n'] } }],
    });
    toys.publish('1');
    expect(await somebody.take()).toMatchObject({ data: { itemFeed: { n: 1 } } });
  } finally {
    anybody.leave();
    somebody.leave();
    await changing.stop();
  }
});
