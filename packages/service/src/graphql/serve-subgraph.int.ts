import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type Authentication, NOBODY } from '../auth/authentication.ts';
import { createHealth } from '../health.ts';
import { createHttpServer } from '../http/http-server.ts';
import { IDENTITY_HEADER, SECRET_HEADER } from '../identity/believed-identity.ts';
import { encodeIdentity, type Identity } from '../identity/identity.ts';
import { createLogger } from '../logger.ts';
import { createMetrics } from '../metrics.ts';
import { serveSubgraph } from './serve-subgraph.ts';

const SECRETS = ['another, longer one', 'a secret of some length'];
const SECRET = String(SECRETS[1]);
const SITI: Identity = { subject: 'Siti', scopes: ['orders:read'] };
const BUDI: Identity = { subject: 'Budi', scopes: [] };

const sdl = 'type Query { who: String } type Subscription { watch: String }';
const said = ({ subject = 'nobody', scopes }: Identity): string => [subject, ...scopes].join(' ');
const resolvers = {
  Query: { who: (_: unknown, __: unknown, { identity }: { identity: Identity }) => said(identity) },
  Subscription: {
    watch: {
      async *subscribe(_: unknown, __: unknown, { identity }: { identity: Identity }) {
        yield { watch: said(identity) };
      },
    },
  },
};

let url = '';
const app = createHttpServer({ health: createHealth(), metrics: createMetrics('test') });
beforeAll(async () => {
  const settings = { NODE_ENV: 'test' as const, SUBGRAPH_SECRET: SECRETS };
  const auth: Authentication = { on: true, callerOf: () => NOBODY };
  const service = { app, auth, log: createLogger('test', 'silent'), settings };
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

/** What several subscriptions of one connection are told. */
async function watch(secret: string, identities: readonly Identity[]): Promise<unknown[]> {
  const client = createClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    connectionParams: { gudang: { secret } },
  });
  try {
    return await Promise.all(
      identities.map(async (identity) => {
        const payload = { query: 'subscription { watch }', extensions: { gudang: { identity } } };
        for await (const { data } of client.iterate({ ...payload })) return data?.['watch'];
      }),
    );
  } finally {
    await client.dispose();
  }
}

const SAID = { [IDENTITY_HEADER]: encodeIdentity(SITI) };

it.each(SECRETS)(
  'takes who asks from the header of a gateway that proves itself (%s)',
  async (secret) => {
    const proof = { [SECRET_HEADER]: secret };
    expect(await ask({ ...SAID, ...proof })).toMatchObject({
      status: 200,
      who: 'Siti orders:read',
    });
    expect(await ask(proof)).toMatchObject({ status: 200, who: 'nobody' });
  },
);

it.each([{}, { [SECRET_HEADER]: 'a guess' }, { [SECRET_HEADER]: '' }])(
  'answers nobody else over HTTP, whatever they say of themselves: %j',
  async (proof) => {
    const refused = { status: 403, who: undefined, code: 'FORBIDDEN' };
    expect(await ask({ ...SAID, ...proof })).toEqual(refused);
  },
);

it('takes who asks from each subscription on a connection that proves itself', async () => {
  expect(await watch(SECRET, [SITI, BUDI])).toEqual(['Siti orders:read', 'Budi']);
});

it.each(['a guess', ''])('closes the websocket of whoever proves nothing: %j', async (secret) => {
  await expect(watch(secret, [SITI])).rejects.toMatchObject({ code: 4403 });
});
