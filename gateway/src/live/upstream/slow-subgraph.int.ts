import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { collect, feedNumbers } from '../../testing/collector.ts';
import { startTestGateway, type TestGateway } from '../../testing/running-gateway.ts';
import { composeToys, startToyGraph } from '../../testing/toy-graph.ts';

/** So long that all events have arrived before it, on a busy machine as well. */
const TIMEOUT_MS = 4_000;
/** More events than two requests read together. */
const EVENTS = 80;

let toys: Awaited<ReturnType<typeof startToyGraph>>;
/** The subgraph of the ratings, which answers no request. */
let hanging: Server;
let requests: ServerResponse[];
let gateway: TestGateway;

beforeAll(async () => {
  requests = [];
  toys = await startToyGraph();
  hanging = createServer((request, response) => {
    request.resume();
    requests.push(response);
  }).listen(0, '127.0.0.1');
  await once(hanging, 'listening');
  const { port } = hanging.address() as AddressInfo;
  gateway = await startTestGateway(
    composeToys(toys.items.url, `http://127.0.0.1:${port}/graphql`),
    { SUBGRAPH_LIMITS: `ratings:timeoutMs=${TIMEOUT_MS},breakerFailures=0` },
  );
});
afterAll(async () => {
  await gateway.stop();
  hanging.closeAllConnections();
  hanging.close();
  await toys.stop();
});

it('holds up no other stream, and no event for much longer than one time-out', async () => {
  const rated = collect(gateway.client(), 'subscription { itemFeed { n item { id rating } } }');
  const other = collect(gateway.client(), 'subscription { itemFeed { n item { id } } }');
  await vi.waitFor(() => expect(toys.feedListening()).toBe(2));
  toys.publish('1');
  await vi.waitFor(() => expect(requests).toHaveLength(1));
  for (let n = 2; n <= EVENTS; n += 1) toys.publish(String(n));
  await vi.waitFor(() => expect(other.came).toHaveLength(EVENTS));
  expect(rated.came).toEqual([]);
  await vi.waitFor(() => expect(rated.came).toHaveLength(EVENTS), { timeout: 30_000 });
  expect(feedNumbers(rated)).toEqual(feedNumbers(other));
  const unrated = {
    data: { itemFeed: { item: { rating: null } } },
    errors: [
      {
        message: `The subgraph ratings did not answer within ${TIMEOUT_MS} ms; try again`,
      },
    ],
  };
  for (const one of rated.came) expect(one).toMatchObject({ next: unrated });
  // Events that have waited for a whole time-out are not sent to the subgraph.
  expect(requests.length).toBeLessThanOrEqual(4);
});
