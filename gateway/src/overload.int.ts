import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { startTestGateway, type TestGateway } from './testing/running-gateway.ts';
import { composeToys, startToyGraph } from './testing/toy-graph.ts';

let toys: Awaited<ReturnType<typeof startToyGraph>>;
let gateway: TestGateway;
/** A subgraph that accepts connections and fails in the way that each test sets. */
let bad: Server;
let answer: Parameters<typeof createServer>[1];

beforeAll(async () => {
  toys = await startToyGraph();
  bad = createServer((request, response) => answer?.(request, response)).listen(0, '127.0.0.1');
  await once(bad, 'listening');
});
afterEach(() => gateway.stop());
afterAll(async () => {
  bad.closeAllConnections();
  bad.close();
  await toys.stop();
});

async function start(environment: Record<string, string> = {}): Promise<void> {
  const { port } = bad.address() as AddressInfo;
  gateway = await startTestGateway(
    composeToys(toys.items.url, `http://127.0.0.1:${port}/graphql`),
    environment,
  );
}

const GOOD = { query: '{ hello(name: "you") }' };
const BAD = { query: '{ best { id } }' };
const UNAVAILABLE = { code: 'UNAVAILABLE', retryable: true, serviceName: 'ratings' };

describe('a subgraph that hangs', () => {
  it('uses a bounded number of sockets, and does not delay other queries', async () => {
    let open = 0;
    let most = 0;
    bad.on('connection', (socket) => {
      open += 1;
      most = Math.max(most, open);
      socket.once('close', () => {
        open -= 1;
      });
    });
    answer = () => {};
    await start({ SUBGRAPH_TIMEOUT_MS: '8000' });
    // The queries differ, because identical queries would share one request.
    const hanging = Array.from({ length: 80 }, (_, number) =>
      gateway.post({ query: `{ best${number}: best { id } }` }),
    );
    await vi.waitFor(() => expect(most).toBe(64), { timeout: 7_000 });
    const from = performance.now();
    expect(await gateway.post(GOOD)).toMatchObject({ data: { hello: 'hello you' } });
    expect(performance.now() - from).toBeLessThan(4_000);
    for (const { errors } of await Promise.all(hanging)) {
      expect(errors).toMatchObject([{ extensions: UNAVAILABLE }]);
    }
    // The time-out includes the wait for a connection, so all queries time out at about the same
    // time.
    expect(performance.now() - from).toBeLessThan(15_000);
    // Aborted sockets are replaced while they are still closing, so up to twice the limit may be
    // open.
    expect(most).toBeLessThanOrEqual(2 * 64);
  });

  it('times out even if it sends one byte at a time', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const drip = setInterval(() => response.write(' '), 50);
      response.once('close', () => clearInterval(drip));
    };
    await start({ SUBGRAPH_TIMEOUT_MS: '600' });
    const from = performance.now();
    expect(await gateway.post(BAD)).toMatchObject({ errors: [{ extensions: UNAVAILABLE }] });
    expect(performance.now() - from).toBeLessThan(3_000);
  });
});

describe('a client that disconnects', () => {
  /**
   * Makes the subgraph hang.
   * @returns counts of the requests that the subgraph has received and of those that were aborted
   */
  function hang() {
    const states = { asked: 0, given_up: 0 };
    answer = (_request, response) => {
      states.asked += 1;
      response.once('close', () => {
        states.given_up += 1;
      });
    };
    return states;
  }

  it.each(['application/json', 'text/event-stream'])(
    'aborts its query at the subgraph, over HTTP as %s',
    async (accept) => {
      const states = hang();
      await start();
      const leaving = new AbortController();
      const asked = fetch(`${gateway.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept },
        body: JSON.stringify(BAD),
        signal: leaving.signal,
      }).then((response) => response.text());
      await vi.waitFor(() => expect(states.asked).toBe(1));
      leaving.abort();
      await expect(asked).rejects.toThrow();
      await vi.waitFor(() => expect(states.given_up).toBe(1));
    },
  );

  it('does not abort a query that other clients share', async () => {
    const states = hang();
    await start();
    const leaving = [new AbortController(), new AbortController()];
    const asked = leaving.map(({ signal }) =>
      fetch(`${gateway.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(BAD),
        signal,
      }).catch((error: unknown) => error),
    );
    await vi.waitFor(async () =>
      expect(await gateway.metric('gateway_shared_queries_total')).toBe(1),
    );
    leaving[0]?.abort();
    await asked[0];
    // By the time this request is answered, the gateway has handled the disconnection.
    await gateway.post(GOOD);
    expect(states).toEqual({ asked: 1, given_up: 0 });
    leaving[1]?.abort();
    await vi.waitFor(() => expect(states.given_up).toBe(1));
  });

  it.each(['completes', 'closes'])(
    'aborts its websocket query at the subgraph; how the client ends the query: %s',
    async (how) => {
      const states = hang();
      await start();
      const socket = new WebSocket(gateway.wsUrl, 'graphql-transport-ws');
      await once(socket, 'open');
      socket.send('{"type":"connection_init"}');
      await once(socket, 'message');
      socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: BAD }));
      await vi.waitFor(() => expect(states.asked).toBe(1));
      if (how === 'completes') socket.send('{"id":"1","type":"complete"}');
      else socket.close();
      await vi.waitFor(() => expect(states.given_up).toBe(1));
      socket.terminate();
    },
  );
});

describe('an overloaded gateway', () => {
  it('rejects queries and new websockets with 503, but answers probes and streams', async () => {
    await start({ SHED_DELAY_MS: '30' });
    const socket = new WebSocket(gateway.wsUrl, 'graphql-transport-ws');
    const heard: { type: string; payload?: unknown }[] = [];
    socket.on('message', (data) => heard.push(JSON.parse(String(data))));
    await once(socket, 'open');
    socket.send('{"type":"connection_init"}');
    await vi.waitFor(() => expect(heard).toHaveLength(1));

    let busy = true;
    const work = (): void => {
      const until = performance.now() + 120;
      while (performance.now() < until);
      if (busy) setImmediate(work);
    };
    work();
    const ask = (accept = 'application/json') =>
      fetch(`${gateway.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept },
        body: JSON.stringify(GOOD),
      });
    let refused = await ask();
    await vi.waitFor(
      async () => {
        refused = await ask();
        expect(refused.status).toBe(503);
      },
      { timeout: 15_000 },
    );
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await refused.json()).toMatchObject({
      errors: [{ extensions: { code: 'OVERLOADED', retryable: true } }],
    });
    expect((await ask('text/event-stream')).status).toBe(503);
    expect((await ask('application/json, text/event-stream')).status).toBe(503);
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: GOOD }));
    await vi.waitFor(() => expect(heard.at(-1)?.type).toBe('error'));
    expect(heard.at(-1)?.payload).toMatchObject([{ extensions: { code: 'OVERLOADED' } }]);
    const second = new WebSocket(gateway.wsUrl, 'graphql-transport-ws');
    const [error] = await once(second, 'error');
    expect(String(error)).toContain('503');
    busy = false;
    await vi.waitFor(async () => expect((await ask()).status).toBe(200), { timeout: 5_000 });
    socket.terminate();
  });
});
