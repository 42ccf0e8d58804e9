import { type ExecutionResult, parse, subscribe } from 'graphql';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { buildSupergraph } from '../../supergraph.ts';
import {
  PROTOCOLS,
  type ProtocolStream,
  type StreamRequest,
} from '../../testing/protocol-clients.ts';
import { createRandom } from '../../testing/random.ts';
import { randomSubscription } from '../../testing/random-operation.ts';
import { startTestGateway, type TestGateway } from '../../testing/running-gateway.ts';
import { composeToys, startToyGraph } from '../../testing/toy-graph.ts';

const SELECTIONS = 30;
const { schema } = buildSupergraph(composeToys());
const VARIABLES = { yes: true, no: false, first: 3, id: '1' };

let toys: Awaited<ReturnType<typeof startToyGraph>>;
let gateway: TestGateway;
const opened: ProtocolStream[] = [];

beforeAll(async () => {
  toys = await startToyGraph();
  gateway = await startTestGateway(composeToys(toys.items.url, toys.ratings.url));
});
afterAll(async () => {
  await gateway.stop();
  await toys.stop();
});
afterEach(async () => {
  for (const stream of opened.splice(0)) stream.leave();
  await listening(0);
  toys.feed.length = 0;
  toys.subscribed.length = 0;
});

async function listening(count: number): Promise<void> {
  await vi.waitFor(() => expect(toys.feedListening()).toBe(count), { timeout: 3000, interval: 5 });
}

/** Returns the result of a subscription to the feed for its event `n`, about item `n`. */
async function expectedResult(query: string, n: number): Promise<ExecutionResult> {
  const item = {
    id: `${n}`,
    name: `item ${n}`,
    rating: ({ scale }: { scale?: number }) => n * (scale ?? 1),
  };
  async function* itemFeed() {
    yield { itemFeed: { n, place: `p${n}`, item } };
  }
  const document = parse(query);
  const results = await subscribe({
    schema,
    document,
    rootValue: { itemFeed },
    variableValues: VARIABLES,
  });
  if (!(Symbol.asyncIterator in results)) throw new Error(JSON.stringify(results.errors));
  const { value } = await results.next();
  return value as ExecutionResult;
}

const live = (members: object = {}) => ({ extensions: { live: members } });
const atCursor = (cursor: string) => ({ extensions: { live: { cursor } } });

describe.each(PROTOCOLS)('extensions.live over %s', (_protocol, openOver) => {
  const open = (request: StreamRequest, headers?: Record<string, string>): ProtocolStream => {
    const stream = openOver(gateway.url, request, undefined, headers);
    opened.push(stream);
    return stream;
  };
  const publish = (count: number): void => {
    for (let sent = 0; sent < count; sent += 1) toys.publish(`${toys.feed.length + 1}`);
  };

  it('carries the cursor with every selection, and does not change the data', async () => {
    for (let seed = 1; seed <= SELECTIONS; seed += 1) {
      const query = randomSubscription(schema, 'itemFeed', createRandom(seed));
      const request = { query, variables: VARIABLES };
      const [plain, withCursors] = [open(request), open({ ...request, ...live() })];
      await listening(1);
      await vi.waitFor(async () => expect(await gateway.metric('gateway_live_clients')).toBe(2));
      publish(1);
      const { data } = await expectedResult(query, toys.feed.length);
      expect(await plain.take(), query).toEqual({ data });
      expect(await withCursors.take(), query).toEqual({
        data,
        ...atCursor(`p${toys.feed.length}`),
      });
      plain.leave();
      withCursors.leave();
      await listening(0);
    }
    // Both clients of a selection share one stream.
    expect(toys.subscribed).toHaveLength(SELECTIONS);
  });

  it('resumes every selection after the cursor, and joins the shared stream', async () => {
    publish(1);
    for (let seed = 1; seed <= SELECTIONS; seed += 1) {
      const query = randomSubscription(schema, 'itemFeed', createRandom(seed));
      const holder = open({ query, variables: VARIABLES });
      await listening(1);
      publish(1);
      await holder.take();
      const n = toys.feed.length;
      const back = open({ query, variables: VARIABLES, ...live({ after: `p${n - 1}` }) });
      for (const each of [n, n + 1]) {
        const { data } = await expectedResult(query, each);
        expect(await back.take(), query).toEqual({ data, ...atCursor(`p${each}`) });
        if (each === n) publish(1);
      }
      holder.leave();
      back.leave();
      await listening(0);
    }
  });

  it('resumes after its cursor instead of the one of the argument', async () => {
    publish(3);
    const query = 'subscription ($a: String) { itemFeed(after: $a) { n } }';
    const stream = open({ query, variables: { a: 'p0' }, ...live({ after: 'p2' }) });
    expect(await stream.take()).toEqual({ data: { itemFeed: { n: 3 } }, ...atCursor('p3') });
    const byArgument = open({ query, variables: { a: 'p1' }, ...live({ after: null }) });
    expect(await byArgument.take()).toEqual({ data: { itemFeed: { n: 2 } }, ...atCursor('p2') });
  });

  it('begins with the next event without a cursor', async () => {
    publish(1);
    const stream = open({ query: 'subscription { itemFeed { n } }', ...live() });
    await listening(1);
    publish(1);
    expect(await stream.take()).toEqual({ data: { itemFeed: { n: 2 } }, ...atCursor('p2') });
  });

  it('carries the cursor of an event whose data could not be read', async () => {
    const query = 'subscription { itemFeed { item { rating(scale: 1) } } }';
    const stream = open({ query, ...live() });
    await listening(1);
    toys.rated.failing = true;
    publish(1);
    expect(await stream.take()).toMatchObject({
      data: { itemFeed: { item: { rating: null } } },
      errors: [{}],
      ...atCursor('p1'),
    });
    toys.rated.failing = false;
  });

  it('says nothing about a stream without cursors, and refuses a cursor for it', async () => {
    const query = 'subscription { itemState(id: "1") { n } }';
    publish(1);
    const stream = open({ query, ...live() });
    expect(await stream.take()).toEqual({ data: { itemState: { n: 1 } } });
    expect(await open({ query, ...live({ after: 'p1' }) }).take()).toMatchObject({
      errors: [{ extensions: { code: 'BAD_REQUEST' } }],
    });
  });

  it.each([[{ after: 7 }], [{ positions: 1 }]])('rejects %j', async (members) => {
    const stream = open({ query: 'subscription { itemFeed { n } }', ...live(members) });
    const outcome = await stream.take();
    expect(outcome).not.toHaveProperty('data');
    expect(toys.subscribed).toEqual([]);
  });
});

describe('Last-Event-ID', () => {
  const HTTP = PROTOCOLS.filter(([name]) => name !== 'graphql-transport-ws');
  it.each(HTTP)('takes precedence over extensions.live.after over %s', async (_name, openOver) => {
    for (const id of ['1', '2', '3']) toys.publish(id);
    const request = { query: 'subscription { itemFeed { n } }', ...live({ after: 'p0' }) };
    const stream = openOver(gateway.url, request, undefined, { 'last-event-id': 'p2' });
    opened.push(stream);
    expect(await stream.take()).toEqual({ data: { itemFeed: { n: 3 } }, ...atCursor('p3') });
  });
});
