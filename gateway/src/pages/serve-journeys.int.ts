import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { signToken, TOKEN_SETTINGS } from '@gudang/auth/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../testing/running-gateway.ts';
import { composeToys, startToyGraph } from '../testing/toy-graph.ts';

const JOURNEYS = '{"steps":["accepted"],"journeys":[]}';

let toys: Awaited<ReturnType<typeof startToyGraph>>;
let gateway: TestGateway | undefined;
let receiver: Server;
/** The paths that the gateway has requested from the receiver. */
let paths: (string | undefined)[];
let answer: RequestListener;

beforeAll(async () => {
  toys = await startToyGraph();
});
afterAll(() => toys.stop());
beforeEach(async () => {
  paths = [];
  answer = (_request, response) => void response.end(JOURNEYS);
  receiver = createServer((request, response) => {
    paths.push(request.url);
    answer(request, response);
  });
  await once(receiver.listen(0, '127.0.0.1'), 'listening');
});
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  receiver.closeAllConnections();
  if (receiver.listening) await once(receiver.close(), 'close');
});

async function start(environment: Record<string, string> = {}): Promise<void> {
  const { port } = receiver.address() as AddressInfo;
  gateway = await startTestGateway(composeToys(toys.items.url, toys.ratings.url), {
    JOURNEYS_URL: `http://127.0.0.1:${port}/secret`,
    ...environment,
  });
}

async function visit(headers: Record<string, string> = {}) {
  const response = await fetch(`${gateway?.url}/journeys`, { headers });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

it('serves what the receiver reports, with one request for all pages', async () => {
  await start();
  const answers = await Promise.all(Array.from({ length: 20 }, () => visit()));
  for (const { status, text, headers } of answers) {
    expect([status, text]).toEqual([200, JOURNEYS]);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('content-type')).toContain('application/json');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  }
  expect(paths).toEqual(['/secret/journeys']);
  const status = await (await fetch(`${gateway?.url}/status`)).json();
  expect(status).toMatchObject({ journeys: true });
});

it.each<[string, RequestListener]>([
  ['closes the connection', (request) => void request.destroy()],
  ['answers with an error', (_request, response) => void response.writeHead(500).end('{}')],
  ['answers with no JSON', (_request, response) => void response.end('<html>')],
  ['answers with 300 KB', (_request, response) => void response.end(`"${'x'.repeat(300_000)}"`)],
  ['does not answer', () => {}],
])('answers 503 if the receiver %s', async (_what, listener) => {
  answer = listener;
  await start();
  const { status, text, headers } = await visit();
  expect([status, headers.get('retry-after')]).toEqual([503, '1']);
  expect(JSON.parse(text).errors[0]).toMatchObject({
    message: 'The receiver of journeys does not answer: try again',
    extensions: { code: 'UNAVAILABLE', retryable: true },
  });
});

it('requires a token if auth is on, but no scope', async () => {
  await start({ ...TOKEN_SETTINGS, SUBGRAPH_SECRET: 'between the gateway and the toys' });
  expect((await visit()).status).toBe(401);
  expect((await visit({ authorization: 'Bearer nonsense' })).status).toBe(401);
  expect(paths).toEqual([]);
  const authorization = `Bearer ${await signToken({ sub: 'Siti' })}`;
  expect(await visit({ authorization })).toMatchObject({ status: 200, text: JOURNEYS });
});

it.each([{ JOURNEYS_URL: '' }, { PAGES: 'false' }])('is not served with %j', async (settings) => {
  await start(settings);
  expect((await visit()).status).toBe(404);
});
