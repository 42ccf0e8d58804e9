import { type IncomingMessage, request } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { PROTOCOLS } from '../testing/protocol-clients.ts';
import { startTestGateway, type TestGateway } from '../testing/running-gateway.ts';
import { composeToys, startToyGraph } from '../testing/toy-graph.ts';

const QUERY =
  'subscription ($note: String) { itemChanged(id: "1", note: $note) { delta note item { id } } }';
const LARGE = 20_000;
const MIB = 1024 * 1024;
/** The limit of a connection, and some events that are executed or were written in one chunk. */
const BOUND = MIB + 20 * LARGE;

let toys: Awaited<ReturnType<typeof startToyGraph>>;
let gateway: TestGateway;
const leaving: (() => void)[] = [];

beforeAll(async () => {
  toys = await startToyGraph();
  gateway = await startTestGateway(composeToys(toys.items.url, toys.ratings.url), {
    LIMIT_MEMORY_PER_CONNECTION_MIB: '1',
  });
});
afterEach(async () => {
  for (const leave of leaving.splice(0)) leave();
  await listening(0);
  await vi.waitFor(async () => expect(await heldBytes()).toBe(0), { timeout: 10_000 });
});
afterAll(async () => {
  await gateway.stop();
  await toys.stop();
});

async function listening(count: number): Promise<void> {
  await vi.waitFor(() => expect(toys.changes.listening()).toBe(count), { timeout: 10_000 });
}

/** Returns the bytes of all kinds. */
async function heldBytes(): Promise<number> {
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  return [...text.matchAll(/^gateway_memory_bytes\{.*\} (\d+)$/gm)]
    .map(([, bytes]) => Number(bytes))
    .reduce((sum, bytes) => sum + bytes, 0);
}

/** Opens subscriptions on one websocket, and reads nothing after the acknowledgement. */
async function openSocket(streams: number): Promise<WebSocket> {
  const socket = new WebSocket(gateway.wsUrl, 'graphql-transport-ws');
  leaving.push(() => socket.terminate());
  await new Promise((resolve) => socket.once('open', resolve));
  socket.send('{"type":"connection_init"}');
  await new Promise((resolve) => socket.once('message', resolve));
  for (let id = 0; id < streams; id += 1) {
    // The streams themselves must fit into the limit, so that only their events exceed it.
    const variables = { note: `${id} ${'x'.repeat(LARGE / streams)}` };
    socket.send(
      JSON.stringify({ id: `${id}`, type: 'subscribe', payload: { query: QUERY, variables } }),
    );
  }
  socket.pause();
  return socket;
}

/** Opens a subscription over HTTP, and reads nothing. */
function openResponse(accept: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { accept, 'content-type': 'application/json' };
    const sent = request(`${gateway.url}/graphql`, { method: 'POST', headers }, (response) => {
      response.pause();
      response.on('error', () => {});
      leaving.push(() => response.destroy());
      resolve(response);
    });
    sent.once('error', reject);
    const variables = { note: `0 ${'x'.repeat(LARGE)}` };
    sent.end(JSON.stringify({ query: QUERY, variables }));
  });
}

/** Clients that read nothing, by protocol and number of streams. */
const SLOW: readonly [string, number, () => Promise<unknown>][] = [
  ['a websocket', 1, () => openSocket(1)],
  ['a websocket with many streams', 20, () => openSocket(20)],
  ['an event stream', 1, () => openResponse('text/event-stream')],
  ['a multipart response', 1, () => openResponse('multipart/mixed;subscriptionSpec=1.0')],
];

describe.each(SLOW)('%s that is not read', (_name, streams, open) => {
  it('is closed when it holds 1 MiB, and other clients receive everything', async () => {
    const others = PROTOCOLS.map(([, openOther]) =>
      openOther(gateway.url, { query: QUERY, variables: { note: 'other' } }),
    );
    for (const { leave } of others) leaving.push(leave);
    await listening(1);
    await open();
    await listening(1 + streams);
    const lagged = await gateway.metric('gateway_live_lagged_total');
    let most = 0;
    let delta = 0;
    await vi.waitFor(
      async () => {
        for (let turn = 0; turn < 20; turn += 1) {
          delta += 1;
          toys.changes.publish({ id: '1', delta });
          for (const { take } of others) {
            expect(await take()).toHaveProperty('data.itemChanged.delta', delta);
          }
          if (streams > 1) most = Math.max(most, await heldBytes());
        }
        most = Math.max(most, await heldBytes());
        expect(await gateway.metric('gateway_live_lagged_total')).toBeGreaterThan(lagged);
      },
      { timeout: 20_000, interval: 1 },
    );
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(BOUND);
    await listening(1);
  });
});
