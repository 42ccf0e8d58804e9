import { connect } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import {
  ANONYMOUS_PRINCIPAL,
  type Authentication,
  encodeIdentity,
  IDENTITY_HEADER,
  type Identity,
  SECRET_HEADER,
} from '@gudang/auth';
import { createHealth, createHttpServer, createLogger, createMetrics } from '@gudang/runtime';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { serveSubgraph } from './serve-subgraph.ts';

const SECRETS = ['another, longer one', 'a secret of some length'];
const SECRET = String(SECRETS[1]);
const SITI: Identity = { subject: 'Siti', scopes: ['orders:read'] };
const BUDI: Identity = { subject: 'Budi', scopes: [] };

const sdl = `
  extend schema @link(
    url: "https://specs.apollo.dev/federation/v2.9", import: ["@authenticated", "@requiresScopes"]
  )
  type Query { who: String many: [Int!] own: String @authenticated thing: Thing }
  type Thing @requiresScopes(scopes: [["a", "b"], ["c"]]) { name: String part: String @authenticated }
  type Subscription { numbered(n: Int! = 1): String leaking: String watch: String broken: String scoped: String @requiresScopes(scopes: [["c"]]) }`;
class DatabaseOutage extends Error {}
const textOf = ({ subject = 'anonymous', scopes }: Identity): string =>
  [subject, ...scopes].join(' ');
let many = (): number[] => [];
const resolvers = {
  Query: {
    who: (_: unknown, __: unknown, { identity }: { identity: Identity }) => textOf(identity),
    many: () => many(),
    own: () => 'own',
    thing: () => ({ name: 'a thing', part: () => 'a part' }),
  },
  Subscription: {
    watch: {
      async *subscribe(_: unknown, __: unknown, { identity }: { identity: Identity }) {
        yield { watch: textOf(identity) };
      },
    },
    broken: {
      // biome-ignore lint/correctness/useYield: this generator fails before the first event
      async *subscribe() {
        throw new DatabaseOutage('the connection was terminated');
      },
    },
    numbered: {
      async *subscribe() {
        yield { numbered: 'yes' };
      },
    },
    leaking: {
      async *subscribe() {
        yield { leaking: { password: 'hush-hush' } };
      },
    },
    scoped: {
      async *subscribe() {
        yield { scoped: 'yes' };
      },
    },
  },
};

let url = '';
const app = createHttpServer({ health: createHealth(), metrics: createMetrics('test') });
beforeAll(async () => {
  const settings = { NODE_ENV: 'test' as const, SUBGRAPH_SECRET: SECRETS };
  const auth: Authentication = { on: true, authenticate: () => ANONYMOUS_PRINCIPAL };
  const service = {
    app,
    auth,
    log: createLogger('test', 'silent'),
    settings,
    isOutage: (error: unknown) => error instanceof DatabaseOutage,
  };
  await serveSubgraph(service, { sdl, resolvers, createContext: (identity) => ({ identity }) });
  url = await app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => app.close());

async function ask(headers: Record<string, string>) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query: '{ who }' }),
  });
  const { data, errors } = (await response.json()) as {
    data?: { who: unknown };
    errors?: { extensions: { code: unknown } }[];
  };
  return { status: response.status, who: data?.who, code: errors?.[0]?.extensions.code };
}

/** Runs several subscriptions on one connection. Returns the first result of each. */
async function watch(
  secret: string,
  identities: readonly Identity[],
  query = 'subscription { watch }',
): Promise<unknown[]> {
  const client = createClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    connectionParams: { gudang: { secret } },
  });
  try {
    return await Promise.all(
      identities.map(async (identity) => {
        const payload = { query, extensions: { gudang: { identity } } };
        for await (const { data } of client.iterate({ ...payload })) return data?.['watch'];
      }),
    );
  } finally {
    await client.dispose();
  }
}

const IDENTITY = { [IDENTITY_HEADER]: encodeIdentity(SITI) };

it.each(SECRETS)(
  'reads the caller from the header of a request with the secret (%s)',
  async (secret) => {
    const proof = { [SECRET_HEADER]: secret };
    expect(await ask({ ...IDENTITY, ...proof })).toMatchObject({
      status: 200,
      who: 'Siti orders:read',
    });
    expect(await ask(proof)).toMatchObject({ status: 200, who: 'anonymous' });
  },
);

it.each([{}, { [SECRET_HEADER]: 'a guess' }, { [SECRET_HEADER]: '' }])(
  'rejects HTTP requests without the secret: %j',
  async (proof) => {
    const refused = { status: 403, who: undefined, code: 'FORBIDDEN' };
    expect(await ask({ ...IDENTITY, ...proof })).toEqual(refused);
  },
);

it.each([
  ['in the same iteration of the event loop', 'small', 10, 0],
  ['in a later iteration of the event loop', 'large', 3_000, 1],
])('executes and serializes, %s, a %s result', async (_when, _size, count, later) => {
  let iteration = 0;
  let executedIn = 0;
  let serializedIn = 0;
  many = () => {
    executedIn = iteration;
    return Array.from({ length: count }, (_, n) => n);
  };
  const { stringify } = JSON;
  const spy = vi.spyOn(JSON, 'stringify').mockImplementation((...given) => {
    if (given[0]?.data?.many) serializedIn = iteration;
    return stringify(...(given as Parameters<typeof stringify>));
  });
  const ticking = tick(() => {
    iteration += 1;
  });
  try {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', [SECRET_HEADER]: SECRET },
      body: '{"query":"{ many }"}',
    });
    const { data } = (await response.json()) as { data: { many: number[] } };
    expect(data.many).toHaveLength(count);
    expect(executedIn).toBeGreaterThan(0);
    expect(serializedIn - executedIn).toBe(later);
  } finally {
    ticking.stop();
    spy.mockRestore();
  }
});

/** Calls a function in each iteration of the event loop. */
function tick(onIteration: () => void): { readonly stop: () => void } {
  let next = setImmediate(function run() {
    onIteration();
    next = setImmediate(run);
  });
  return { stop: () => clearImmediate(next) };
}

it('forbids caches to store answers', async () => {
  const { headers } = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', [SECRET_HEADER]: SECRET },
    body: '{"query":"{ who }"}',
  });
  expect(headers.get('cache-control')).toBe('no-store');
});

it('limits the errors of an answer over HTTP, and says how many are left out', async () => {
  const fields = Array.from({ length: 30 }, (_, n) => `f${n}: own`).join(' ');
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', [SECRET_HEADER]: SECRET },
    body: JSON.stringify({ query: `{ ${fields} }` }),
  });
  const { errors } = (await response.json()) as { errors: object[] };
  expect(errors).toHaveLength(21);
  expect(errors[0]).toMatchObject({ extensions: { code: 'UNAUTHENTICATED' } });
  expect(errors[20]).toMatchObject({ extensions: { code: 'TOO_MANY_ERRORS', omitted: 10 } });
});

it('accepts larger bodies from the gateway than from clients', async () => {
  const post = async (size: number) => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', [SECRET_HEADER]: SECRET },
      body: JSON.stringify({ query: '{ who }', variables: { pad: 'x'.repeat(size) } }),
    });
    return response.status;
  };
  expect(await post(4_000_000)).toBe(200);
  expect(await post(5_000_000)).toBe(413);
});

it('reads the caller of each subscription if the connection was opened with the secret', async () => {
  expect(await watch(SECRET, [SITI, BUDI])).toEqual(['Siti orders:read', 'Budi']);
});

it.each(['a guess', ''])('closes a websocket whose secret is wrong: %j', async (secret) => {
  await expect(watch(secret, [SITI])).rejects.toMatchObject({ code: 4403 });
});

it.each<[string, string, Identity, object, (string | undefined)[]]>([
  [
    'no requirement on an open field for an anonymous caller',
    '{ who }',
    { scopes: [] },
    { who: 'anonymous' },
    [],
  ],
  [
    '@authenticated for an anonymous caller',
    '{ own }',
    { scopes: [] },
    { own: null },
    ['UNAUTHENTICATED'],
  ],
  ['@authenticated for a principal', '{ own }', { subject: 'x', scopes: [] }, { own: 'own' }, []],
  [
    '@authenticated for a shared stream',
    '{ own }',
    { authenticated: true, scopes: [] },
    { own: 'own' },
    [],
  ],
  [
    '@requiresScopes on a type for a principal without the scopes',
    '{ thing { name part } }',
    { subject: 'x', scopes: ['a'] },
    { thing: { name: null, part: null } },
    ['FORBIDDEN', 'FORBIDDEN'],
  ],
  [
    '@requiresScopes on a type for a principal with one of the lists of scopes',
    '{ thing { name part } }',
    { subject: 'x', scopes: ['c'] },
    { thing: { name: 'a thing', part: 'a part' } },
    [],
  ],
])('enforces %s', async (_what, query, identity, data, codes) => {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      [SECRET_HEADER]: SECRET,
      [IDENTITY_HEADER]: encodeIdentity(identity),
    },
    body: JSON.stringify({ query }),
  });
  const answer = (await response.json()) as {
    data: unknown;
    errors?: { extensions: { code: string } }[];
  };
  expect(answer.data).toEqual(data);
  expect((answer.errors ?? []).map(({ extensions }) => extensions.code)).toEqual(codes);
});

it('rejects an operation of more than 200,000 tokens', async () => {
  const query = `{ ${'who '.repeat(199_998)} }`;
  const post = async (text: string) => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', [SECRET_HEADER]: SECRET },
      body: JSON.stringify({ query: text }),
    });
    const { errors = [] } = (await response.json()) as { errors?: { message: string }[] };
    return errors.map(({ message }) => message);
  };
  const refusal = expect.stringContaining('more that 200000 tokens');
  expect(await post(`${query} {`)).toEqual([refusal]);
  await expect(watch(SECRET, [SITI], `subscription ${query} {`)).rejects.toMatchObject([
    { message: refusal },
  ]);
});

it('enforces @requiresScopes on a subscription', async () => {
  await expect(watch(SECRET, [SITI], 'subscription { scoped }')).rejects.toMatchObject([
    { extensions: { code: 'FORBIDDEN' } },
  ]);
  const may: Identity = { authenticated: true, scopes: ['c'] };
  expect(await watch(SECRET, [may], 'subscription { watch: scoped }')).toEqual(['yes']);
});

it('sends an outage of the database to a subscription as a retryable error', async () => {
  await expect(watch(SECRET, [SITI], 'subscription { watch: broken }')).rejects.toMatchObject([
    { extensions: { code: 'UNAVAILABLE', retryable: true } },
  ]);
});

describe('an error of graphql-js in a subscription', () => {
  const first = async (query: string, variables: Record<string, unknown> = {}) => {
    const client = createClient({
      url: `${url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      connectionParams: { gudang: { secret: SECRET } },
    });
    try {
      return await new Promise<unknown>((resolve) => {
        client.subscribe(
          { query, variables },
          { next: resolve, error: resolve, complete: () => resolve('complete') },
        );
      });
    } finally {
      await client.dispose();
    }
  };

  it.each([
    ['a variable of another type', 'subscription ($n: Int!) { numbered(n: $n) }', { n: 'x' }],
    ['null for a default', 'subscription ($n: Int) { numbered(n: $n) }', { n: null }],
  ])('is bad input for %s', async (_what, query, variables) => {
    expect(await first(query, variables)).toMatchObject({
      errors: [{ message: expect.stringContaining('n"'), extensions: { code: 'BAD_USER_INPUT' } }],
    });
  });

  it('does not show a value that does not fit its type', async () => {
    const result = await first('subscription { leaking }');
    expect(result).toMatchObject({ errors: [{ message: 'Internal error' }] });
    expect(JSON.stringify(result)).not.toContain('hush');
  });

  it('is one of at most 21, in limited size', async () => {
    const fields = Array.from({ length: 300 }, (_, n) => `${'x'.repeat(100)}${n}`).join(' ');
    const errors = (await first(`subscription { ${fields} }`)) as object[];
    expect(errors.length).toBeLessThanOrEqual(21);
    const [error] = (await first(`subscription { ${'x'.repeat(20_000)} }`)) as object[];
    expect(JSON.stringify(error).length).toBeLessThan(2_000);
  });
});

describe('a page of another website', () => {
  const EVIL = { origin: 'https://evil.example', [SECRET_HEADER]: SECRET };

  it('cannot open a websocket', async () => {
    const open = (headers: Record<string, string>) => {
      const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
        headers,
      });
      return new Promise((resolve) => {
        socket.once('open', () => resolve('open')).once('open', () => socket.close());
        socket.once('unexpected-response', (_request, { statusCode }) => resolve(statusCode));
        socket.once('error', () => {});
      });
    };
    expect(await open({ origin: EVIL.origin })).toBe(403);
    expect(await open({ origin: url })).toBe(403);
    expect(await open({ origin: 'null' })).toBe(403);
    expect(await open({})).toBe('open');
  });

  it.each([
    ['a text', 'text/plain'],
    ['a form', 'application/x-www-form-urlencoded'],
    ['a multipart form', 'multipart/form-data; boundary=x'],
    ['a text that names JSON', 'text/plain; application/json'],
    ['a Blob without a type', ''],
  ])('cannot execute an operation without a preflight, by %s', async (_what, type) => {
    const body = new Blob([JSON.stringify({ query: '{ who }' })], { type });
    const response = await fetch(`${url}/graphql`, { method: 'POST', headers: EVIL, body });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.status).toBeLessThan(500);
    expect(await response.text()).not.toContain('"data"');
  });

  it.each(['GET', 'HEAD'])('cannot execute an operation by %s', async (method) => {
    const target = `${url}/graphql?query=${encodeURIComponent('{ who }')}`;
    const response = await fetch(target, { method, headers: EVIL });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.status).toBeLessThan(500);
    expect(await response.text()).not.toContain('"data"');
  });

  it('gets no permission from a preflight', async () => {
    const response = await fetch(`${url}/graphql`, {
      method: 'OPTIONS',
      headers: { ...EVIL, 'access-control-request-method': 'POST' },
    });
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('an upgrade request to a path without websockets', () => {
  const upgrade = () => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.write(
      'GET /elsewhere HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
    );
    return socket;
  };

  it('receives 404, and its connection is closed', async () => {
    const socket = upgrade();
    let answer = '';
    for await (const chunk of socket) answer += chunk;
    expect(answer).toMatch(/^HTTP\/1.1 404 Not Found\r\n/);
  });

  it('does not end the process when the client resets the connection', async () => {
    const uncaught: unknown[] = [];
    process.setUncaughtExceptionCaptureCallback((error) => uncaught.push(error));
    try {
      for (let tries = 0; tries < 20; tries += 1) {
        const closed = new Promise<void>((resolve) => {
          app.server.prependOnceListener('upgrade', (_request, serverSide) => {
            serverSide.once('close', () => resolve());
            socket.resetAndDestroy();
          });
        });
        const socket = upgrade();
        await closed;
      }
      await turn();
    } finally {
      process.setUncaughtExceptionCaptureCallback(null);
    }
    expect(uncaught).toEqual([]);
  });
});
