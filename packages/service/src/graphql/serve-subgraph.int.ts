import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createHealth } from '../health.ts';
import { createHttpServer } from '../http/http-server.ts';
import { IDENTITY_HEADER, SECRET_HEADER } from '../identity/believed-identity.ts';
import { encodeIdentity, type Identity } from '../identity/identity.ts';
import { createLogger } from '../logger.ts';
import { createMetrics } from '../metrics.ts';
import { serveSubgraph } from './serve-subgraph.ts';

const SECRET = 'a secret of some length';
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
  const settings = { NODE_ENV: 'test' as const, SUBGRAPH_SECRET: ['another, longer one', SECRET] };
  const service = { app, log: createLogger('test', 'silent'), settings };
  await serveSubgraph(service, { sdl, resolvers, createContext: (identity) => ({ identity }) });
  url = await app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => app.close());

async function ask(secret: string): Promise<unknown> {
  const headers = { [IDENTITY_HEADER]: encodeIdentity(SITI), [SECRET_HEADER]: secret };
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query: '{ who }' }),
  });
  return ((await response.json()) as { data: { who: unknown } }).data.who;
}

/** What several subscriptions of one connection are told. */
async function watch(secret: string, identities: readonly Identity[]): Promise<unknown[]> {
  const client = createClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
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

it('takes who asks from the header of a gateway that proves itself', async () => {
  expect(await ask(SECRET)).toBe('Siti orders:read');
  expect(await ask('a guess')).toBe('nobody');
});

it('takes who asks from each subscription on a connection that proves itself', async () => {
  expect(await watch(SECRET, [SITI, BUDI])).toEqual(['Siti orders:read', 'Budi']);
  expect(await watch('a guess', [SITI, BUDI])).toEqual(['nobody', 'nobody']);
});
