import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { PROTOCOLS, type ProtocolStream } from '../../testing/protocol-clients.ts';
import { startTestGateway, type TestGateway } from '../../testing/running-gateway.ts';
import { composeToys, startToyGraph } from '../../testing/toy-graph.ts';

/** Events before the client subscribes. */
const EVENTS = 100;
const QUERY = 'subscription { itemFeed(after: "p0") { n item { id rating } } }';

let toys: Awaited<ReturnType<typeof startToyGraph>>;
let gateway: TestGateway;
let stream: ProtocolStream | undefined;

beforeAll(async () => {
  toys = await startToyGraph();
  // A rating of the item `bad` is not a number, so its resolver fails.
  for (let n = 1; n <= EVENTS; n += 1) toys.publish(n % 10 === 0 ? 'bad' : String(n));
  gateway = await startTestGateway(composeToys(toys.items.url, toys.ratings.url));
});
afterEach(async () => {
  stream?.leave();
  await vi.waitFor(() => expect(toys.feedListening()).toBe(0));
  toys.ratings.requests.length = 0;
});
afterAll(async () => {
  await gateway.stop();
  await toys.stop();
});

const open = (query: string): ProtocolStream => {
  const [, openStream] = PROTOCOLS[0] as (typeof PROTOCOLS)[0];
  stream = openStream(gateway.url, { query });
  return stream;
};

const ratingOf = (n: number) =>
  n % 10 === 0
    ? {
        data: { itemFeed: { n, item: { id: 'bad', rating: null } } },
        errors: [{ path: ['itemFeed', 'item', 'rating'] }],
      }
    : { data: { itemFeed: { n, item: { id: String(n), rating: n } } } };

it('reads the fields of waiting events together, and gives each event its own errors', async () => {
  const { take } = open(QUERY);
  for (let n = 1; n <= EVENTS; n += 1) expect(await take()).toMatchObject(ratingOf(n));
  expect(toys.ratings.requests.length).toBeLessThan(EVENTS / 5);
});

it('sends no request before the one for the earlier events is answered', async () => {
  const release = toys.ratings.holdNext();
  const { take } = open(QUERY);
  await vi.waitFor(() => expect(toys.ratings.requests).toHaveLength(1));
  // All events have arrived when a later subscription has received its event.
  const [, openOther] = PROTOCOLS[1] as (typeof PROTOCOLS)[0];
  const other = openOther(gateway.url, { query: 'subscription { itemState(id: "99") { n } }' });
  expect(await other.take()).toMatchObject({ data: { itemState: { n: 99 } } });
  other.leave();
  expect(toys.ratings.requests).toHaveLength(1);
  release();
  for (let n = 1; n <= EVENTS; n += 1) expect(await take()).toMatchObject(ratingOf(n));
});
