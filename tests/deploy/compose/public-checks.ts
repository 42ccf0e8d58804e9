import { randomBytes } from 'node:crypto';
import type { ClientRequestArgs } from 'node:http';
import { request } from 'node:https';
import { AUDIENCE, ISSUER, signToken } from '@gudang/auth/testing';
import { eventually } from '@gudang/testing/eventually';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import type { ComposeProject, Environment } from './compose-project.ts';
import type { RunningSystem } from './running-system.ts';

const DOMAIN = 'localhost';
const tokenSecret = randomBytes(32).toString('hex');

/** What the file .env of a server sets. */
export const PUBLIC_ENVIRONMENT: Environment = {
  DOMAIN,
  TLS: 'internal',
  JWT_SECRET: tokenSecret,
  JWT_ISSUER: ISSUER,
  JWT_AUDIENCE: AUDIENCE,
  SUBGRAPH_SECRET: randomBytes(32).toString('hex'),
  POSTGRES_PASSWORD: randomBytes(16).toString('hex'),
};

type Verify = RunningSystem['verify'];

/** Checks that Compose and the services refuse a start without auth, or with a known secret. */
export async function checkRefusals(project: ComposeProject, verify: Verify): Promise<void> {
  for (const name of [
    'SUBGRAPH_SECRET',
    'JWT_ISSUER',
    'JWT_AUDIENCE',
    'POSTGRES_PASSWORD',
    'DOMAIN',
  ]) {
    const reason = await failure(project.run(['config', '--quiet'], { [name]: '' }));
    verify(`is refused without ${name}`, reason.includes(name), lastLine(reason));
  }
  const check = (environment: Environment): Promise<string> =>
    failure(
      project.run(
        ['run', '--rm', '--no-deps', 'gateway', 'node', 'dist/main.js', '--check'],
        environment,
      ),
    );
  const known = await check({ SUBGRAPH_SECRET: 'for-this-machine-alone' });
  verify('is refused with a published secret', known.includes('is published'), lastLine(known));
  const none = await check({ JWT_SECRET: '' });
  verify('is refused without keys for tokens', none.includes('jwt needs'), lastLine(none));
}

async function failure(running: Promise<string>): Promise<string> {
  return running.then(
    () => 'it was not refused',
    (error: Error) => error.message,
  );
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';

/** Checks HTTPS with the certificate of Caddy's own authority, and the rights of callers. */
export async function checkPublic(
  project: ComposeProject,
  port: number,
  verify: Verify,
): Promise<void> {
  const authority = '/data/caddy/pki/authorities/local/root.crt';
  const ca = await project.run(['exec', '-T', 'tls', 'cat', authority]);
  const client = httpsClient({ host: DOMAIN, port, ca });
  const page = await client({ path: '/' });
  verify(
    'the certificate is valid, and browsers are told to stay with HTTPS',
    page.status === 200 && String(page.headers['strict-transport-security']).includes('max-age'),
    `GET / ${page.status}, ${page.headers['strict-transport-security']}`,
  );
  const hidden = [
    '/metrics',
    '/readyz',
    '/status',
    '/healthz',
    '/order/../metrics',
    '/stock/../graphql',
  ];
  const statuses = await Promise.all(hidden.map(async (path) => (await client({ path })).status));
  verify(
    'no operational path is public over TLS',
    statuses.every((status) => status === 404),
    statuses.join(' '),
  );
  await checkRights(client, verify);
  await checkSocket({ client, port, ca, verify });
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

type HttpsClient = (options: {
  path: string;
  body?: object;
  headers?: Readonly<Record<string, string>>;
}) => Promise<Answer>;

function httpsClient(server: ClientRequestArgs & { ca: string }): HttpsClient {
  return ({ path, body, headers = {} }) =>
    new Promise((resolve, reject) => {
      const content = body === undefined ? {} : { 'content-type': 'application/json' };
      const sent = request(
        {
          ...server,
          path,
          method: body ? 'POST' : 'GET',
          headers: { host: DOMAIN, ...content, ...headers },
        },
        async (response) => {
          let text = '';
          for await (const chunk of response) text += chunk;
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
        },
      );
      sent.on('error', reject).end(body && JSON.stringify(body));
    });
}

async function bearer(claims: object): Promise<Record<string, string>> {
  const token = await signToken({ ...claims }, { key: Buffer.from(tokenSecret) });
  return { authorization: `Bearer ${token}` };
}

/** Checks that anonymous callers read stocks only, and what tokens add. */
async function checkRights(client: HttpsClient, verify: Verify): Promise<void> {
  // A gateway that has just started plans the first operations, which counts towards the rate limit, and
  // a subgraph may still lose its first connection to the database.
  const graph = (query: string, headers = {}): Promise<string> =>
    eventually(
      async () => (await client({ path: '/graphql', body: { query }, headers })).text,
      (text) => !/RATE_LIMITED|UNAVAILABLE/.test(text),
      { every: 500 },
    );
  const add = 'mutation { addStock(input: { id: "jwt", name: "Kopi", quantity: 9 }) { id } }';
  const order = 'mutation { createOrder(input: { productId: "jwt", quantity: 1 }) { id } }';
  const [siti, clerk] = [
    await bearer({ sub: 'Siti', scope: 'order:write' }),
    await bearer({ sub: 'Rina', scope: 'stock:write' }),
  ];
  const cases: [string, string, string][] = [
    [
      'an anonymous caller reads stocks',
      await graph('{ stocks(first: 1) { nodes { id } } }'),
      '"data":{"stocks"',
    ],
    ['an anonymous caller orders nothing', await graph(order), 'UNAUTHENTICATED'],
    ['a token without the scope adds no stock', await graph(add, siti), 'FORBIDDEN'],
    ['the scope stock:write adds a stock', await graph(add, clerk), '"id":"jwt"'],
    ['the scope order:write orders', await graph(order, siti), '"createOrder":{"id"'],
    ['introspection is off', await graph('{ __schema { queryType { name } } }'), 'errors'],
  ];
  for (const [what, text, part] of cases) verify(what, text.includes(part), text.slice(0, 90));
  const forged = {
    'x-gudang-secret': 'for-this-machine-alone',
    'x-gudang-identity': '{"subject":"Siti"}',
  };
  const { text } = await client({
    path: '/graphql',
    body: { query: '{ orders(first: 1) { nodes { id } } }' },
    headers: forged,
  });
  verify(
    'forged headers of the gateway change nothing',
    text.includes('UNAUTHENTICATED'),
    text.slice(0, 90),
  );
  const rest = await client({ path: '/order/add-order', body: { productid: 'jwt', quantity: 1 } });
  verify(
    'REST needs a token as well',
    rest.status === 401,
    `${rest.status} ${rest.text.slice(0, 60)}`,
  );
}

/** Checks a live stream over a websocket with TLS. The stock changes until an event arrives. */
async function checkSocket({
  client: https,
  port,
  ca,
  verify,
}: {
  client: HttpsClient;
  port: number;
  ca: string;
  verify: Verify;
}): Promise<void> {
  class TrustingSocket extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols, { ca, headers: { host: DOMAIN } });
    }
  }
  const client = createClient({
    url: `wss://${DOMAIN}:${port}/graphql`,
    webSocketImpl: TrustingSocket,
    retryAttempts: 0,
  });
  const query = 'subscription { stockChanged(ids: ["jwt"]) { kind stock { quantity } } }';
  const seen: string[] = [];
  const giveUp = setTimeout(() => void client.dispose(), 30_000);
  const headers = await bearer({ sub: 'Rina', scope: 'stock:write' });
  const change = 'mutation { adjustStock(id: "jwt", delta: 1, reason: "a change") { version } }';
  const changing = setInterval(() => {
    https({ path: '/graphql', body: { query: change }, headers }).catch(() => {});
  }, 500);
  for await (const { data } of client.iterate({ query })) {
    seen.push(JSON.stringify(data));
    if (seen.length === 1) break;
  }
  clearTimeout(giveUp);
  clearInterval(changing);
  await client.dispose();
  verify('a live stream works over TLS', seen.length === 1, seen[0] ?? 'no event');
}
