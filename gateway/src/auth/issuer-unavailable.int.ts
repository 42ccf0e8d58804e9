import { AUDIENCE, ISSUER, startIssuer } from '@gudang/auth/testing';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { LiveCloseCode } from '../live/transports/websocket/close-codes.ts';
import { startTestGateway, type TestGateway } from '../testing/running-gateway.ts';
import { composeToys } from '../testing/toy-graph.ts';

/** Polls with a time-out that is long enough for a busy machine. */
const soon = <T>(look: () => T) => expect.poll(look, { timeout: 10_000, interval: 10 });

let issuer: Awaited<ReturnType<typeof startIssuer>>;
let gateway: TestGateway;

beforeAll(async () => {
  issuer = await startIssuer();
  gateway = await startTestGateway(composeToys(), {
    JWT_JWKS_URL: issuer.url,
    JWT_ISSUER: ISSUER,
    JWT_AUDIENCE: AUDIENCE,
    SUBGRAPH_SECRET: 'between the gateway and the toys',
  });
});
afterAll(async () => {
  await gateway.stop();
  await issuer.stop();
});

const ask = (token?: string) =>
  fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query: '{ __typename }' }),
  });

it('rejects tokens with 503 while the issuer is unavailable, but serves anonymous callers', async () => {
  const token = await issuer.sign({ sub: 'Siti' });
  issuer.setAvailable(false);
  const refused = await ask(token);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
  expect(await refused.json()).toMatchObject({
    errors: [{ extensions: { code: 'UNAVAILABLE', retryable: true } }],
  });
  expect((await ask()).status).toBe(200);

  const closed: number[] = [];
  const client = createClient({
    url: gateway.wsUrl,
    webSocketImpl: WebSocket,
    lazy: false,
    retryWait: () => Promise.resolve(),
    connectionParams: { authorization: token },
    on: {
      closed: (event) => {
        closed.push((event as { code: number }).code);
        issuer.setAvailable(true);
      },
      connected: () => closed.push(0),
    },
  });
  // The 0 means that the graphql-ws client has connected, here by an automatic retry.
  await soon(() => closed).toEqual([LiveCloseCode.tryAgainLater, 0]);
  await client.dispose();
  expect((await ask(token)).status).toBe(200);
});

it('reads the token of a websocket from the request that opened it', async () => {
  const token = await issuer.sign({ sub: 'Siti' });
  const open = async (authorization: string): Promise<string> => {
    const socket = new WebSocket(gateway.wsUrl, ['graphql-transport-ws'], {
      headers: { authorization },
    });
    try {
      return await new Promise((resolve, reject) => {
        socket.once('open', () => socket.send('{"type":"connection_init"}'));
        socket.once('message', (data) => resolve(JSON.parse(String(data)).type));
        socket.once('close', (code) => resolve(String(code)));
        socket.once('error', reject);
      });
    } finally {
      socket.terminate();
    }
  };
  expect(await open(`Bearer ${token}`)).toBe('connection_ack');
  expect(await open('Bearer nonsense')).toBe('4403');
});
