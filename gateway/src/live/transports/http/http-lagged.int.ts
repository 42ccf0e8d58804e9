import { type IncomingMessage, request } from 'node:http';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { startTestGateway, type TestGateway } from '../../../testing/running-gateway.ts';
import { composeToys, startToyGraph } from '../../../testing/toy-graph.ts';

const QUERY =
  'subscription ($note: String) { itemChanged(id: "1", note: $note) { delta note item { id } } }';

let toys: Awaited<ReturnType<typeof startToyGraph>>;
let gateway: TestGateway;

beforeAll(async () => {
  toys = await startToyGraph();
});
afterAll(() => toys.stop());
afterEach(async () => {
  await gateway.stop();
});

/** Subscribes over HTTP to a stream that must not drop events. */
function subscribe(accept: string, note: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request(
      `${gateway.url}/graphql`,
      { method: 'POST', headers: { accept, 'content-type': 'application/json' } },
      resolve,
    );
    sent.once('error', reject);
    sent.end(JSON.stringify({ query: QUERY, variables: { note } }));
  });
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  return text;
}

it.each([
  // If the response ends without `complete`, graphql-sse's client and EventSource reconnect.
  ['text/event-stream', (end: string) => expect(end).not.toContain('event: complete')],
  [
    'multipart/mixed;subscriptionSpec=1.0',
    (end: string) =>
      expect(end).toMatch(/"payload":null,"errors":\[\{.*"code":"LAGGED".*\r\n--graphql--\r\n$/),
  ],
])(
  'ends a %s stream only for a client that reads too slowly, so that this client reconnects',
  async (accept, expectEnd) => {
    gateway = await startTestGateway(composeToys(toys.items.url, toys.ratings.url), {
      LIVE_QUEUE_MESSAGES: '50',
    });
    const note = 'x'.repeat(20_000);
    const slow = await subscribe(accept, note);
    const quick = await subscribe(accept, note);
    slow.pause();
    let read = '';
    quick.setEncoding('utf8').on('data', (chunk: string) => {
      read = `${read}${chunk}`.slice(-100_000);
    });
    await vi.waitFor(() => expect(toys.changes.listening()).toBe(1));
    let delta = 0;
    await vi.waitFor(
      async () => {
        for (let turn = 0; turn < 20; turn += 1) {
          delta += 1;
          toys.changes.publish({ id: '1', delta });
        }
        await vi.waitFor(() => expect(read).toContain(`"delta":${delta},`), { interval: 2 });
        expect(await gateway.metric('gateway_live_lagged_total')).toBe(1);
      },
      { timeout: 20_000, interval: 1 },
    );
    expectEnd((await textOf(slow)).slice(-1_000));
    toys.changes.publish({ id: '1', delta: 1_000_000 });
    await vi.waitFor(() => expect(read).toContain('"delta":1000000,'));
    quick.destroy();
  },
);
