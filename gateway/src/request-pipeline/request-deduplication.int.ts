import { signToken, TOKEN_SETTINGS } from '@gudang/auth/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { collect } from '../testing/collector.ts';
import { startTestGateway, type TestGateway } from '../testing/running-gateway.ts';
import { composeToys, startToyGraph } from '../testing/toy-graph.ts';

let toys: Awaited<ReturnType<typeof startToyGraph>>;
let gateway: TestGateway;
let sdl: string;

beforeAll(async () => {
  toys = await startToyGraph();
  sdl = composeToys(toys.items.url, toys.ratings.url);
  gateway = await startTestGateway(sdl);
});
afterAll(async () => {
  await gateway.stop();
  await toys.stop();
});
afterEach(() => {
  toys.items.requests.length = 0;
  toys.ratings.requests.length = 0;
});

const RATED = '{ items { id name rating(scale: 10) } }';
const NAME = 'query ($id: ID!) { item(id: $id) { name } }';
/** The same query with more whitespace, which leads to the same subgraph request. */
const NAME_AGAIN = 'query ($id: ID!)  { item(id: $id) { name } }';
const RENAME = 'mutation ($input: RenameInput!) { rename(input: $input) { name } }';

const arrived = (count: number) =>
  vi.waitFor(() => expect(toys.items.requests).toHaveLength(count));
const several = (count: number, body: object, headers?: Record<string, string>) =>
  Promise.all(Array.from({ length: count }, () => gateway.post(body, headers)));

describe('queries in flight', () => {
  it('share one execution if they are identical', async () => {
    const release = toys.items.holdNext();
    const asked = several(20, { query: RATED });
    await arrived(1);
    // All requests have arrived once this later request has been answered.
    await gateway.post({ query: '{ __typename }' });
    release();
    const answers = await asked;
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]?.data?.['items']).toHaveLength(2);
    expect([toys.items.requests.length, toys.ratings.requests.length]).toEqual([1, 1]);
    expect(await gateway.metric('gateway_shared_queries_total')).toBe(19);
  });

  it('share one subgraph request if they differ only in whitespace', async () => {
    const release = toys.items.holdNext();
    const variables = { id: '7' };
    const asked = [NAME, NAME_AGAIN].map((query) => gateway.post({ query, variables }));
    await arrived(1);
    await gateway.post({ query: '{ __typename }' });
    release();
    for (const answer of await Promise.all(asked)) {
      expect(answer.data).toEqual({ item: { name: 'item 7' } });
    }
    expect(toys.items.requests).toHaveLength(1);
  });

  it('share no execution if their variables or accept headers differ', async () => {
    const release = toys.items.holdNext();
    const ask = (id: string, accept = 'application/json') =>
      gateway.post({ query: NAME, variables: { id } }, { accept });
    const held = ask('8');
    await arrived(1);
    const release2 = toys.items.holdNext();
    const other = ask('9');
    await arrived(2);
    release2();
    expect((await other).data).toEqual({ item: { name: 'item 9' } });
    // This query has its own execution, which shares the subgraph request.
    const shared = await gateway.metric('gateway_shared_queries_total');
    const otherType = ask('8', 'application/graphql-response+json');
    release();
    expect((await otherType).data).toEqual((await held).data);
    expect(await gateway.metric('gateway_shared_queries_total')).toBe(shared);
  });

  it('do not share an execution that has already been answered', async () => {
    await gateway.post({ query: RATED });
    await gateway.post({ query: RATED });
    expect(toys.items.requests).toHaveLength(2);
  });

  it('are unlike mutations, which never share an execution', async () => {
    const input = { id: '10', name: 'ten' };
    await several(5, { query: RENAME, variables: { input } });
    expect(toys.items.requests).toHaveLength(5);
  });
});

describe('a query after a mutation', () => {
  it.each([
    ['an execution of the same query', NAME],
    ['an execution with the same subgraph request', NAME_AGAIN],
  ])('does not share %s that started before the mutation', async (_what, query) => {
    const id = query === NAME ? '20' : '21';
    const variables = { id };
    const release = toys.items.holdNext();
    const before = gateway.post({ query: NAME, variables });
    await arrived(1);
    await gateway.post({ query: RENAME, variables: { input: { id, name: 'new' } } });
    // The first execution still waits for the subgraph.
    const after = await gateway.post({ query, variables });
    expect(after.data).toEqual({ item: { name: 'new' } });
    release();
    expect((await before).data).toEqual({ item: { name: `item ${id}` } });
  });

  it('shares no execution that started before a mutation over a websocket', async () => {
    const variables = { id: '22' };
    const release = toys.items.holdNext();
    const before = gateway.post({ query: NAME, variables });
    await arrived(1);
    const mutation = 'mutation { rename(input: { id: "22", name: "new" }) { name } }';
    const renamed = collect(gateway.client(), mutation);
    expect(await renamed.take()).toMatchObject({ next: { data: { rename: { name: 'new' } } } });
    const after = await gateway.post({ query: NAME, variables });
    expect(after.data).toEqual({ item: { name: 'new' } });
    release();
    await before;
    await gateway.closeClients();
  });

  it('shares no execution that started before a failed mutation', async () => {
    const variables = { id: '23' };
    const release = toys.items.holdNext();
    const before = gateway.post({ query: NAME, variables });
    await arrived(1);
    toys.items.breakWith = { status: 502, text: 'no' };
    const input = { id: '23', name: 'new' };
    const { errors } = await gateway.post({ query: RENAME, variables: { input } });
    expect(errors).toHaveLength(1);
    toys.items.breakWith = undefined;
    await gateway.post({ query: NAME, variables });
    expect(toys.items.requests).toHaveLength(2);
    release();
    await before;
  });
});

describe('a query after an event of a live stream', () => {
  it('shares no execution that started before the event', async () => {
    const variables = { id: '30' };
    const release = toys.items.holdNext();
    const before = gateway.post({ query: NAME, variables });
    await arrived(1);
    const stream = collect(
      gateway.client(),
      'subscription { itemChanged(id: "30") { delta item { id } } }',
    );
    await vi.waitFor(() => expect(toys.changes.listening()).toBe(1));
    toys.rename('30', 'shown');
    toys.changes.publish({ id: '30', delta: 1 });
    expect(await stream.take()).toMatchObject({ next: { data: { itemChanged: { delta: 1 } } } });
    const after = await gateway.post({ query: NAME, variables });
    expect(after.data).toEqual({ item: { name: 'shown' } });
    release();
    expect((await before).data).toEqual({ item: { name: 'item 30' } });
    await gateway.closeClients();
  });
});

describe('authenticated callers', () => {
  it('share executions only between requests with the same subject and scopes', async () => {
    const own = await startTestGateway(sdl, {
      ...TOKEN_SETTINGS,
      SUBGRAPH_SECRET: 'between the gateway and the toys',
    });
    try {
      const bearer = async (sub: string, scope: string) => ({
        authorization: `Bearer ${await signToken({ sub, scope })}`,
      });
      const callers = [
        await bearer('Siti', 'a'),
        await bearer('Budi', 'a'),
        await bearer('Siti', 'a b'),
      ];
      const releases: (() => void)[] = [];
      const asked: Promise<unknown>[] = [];
      for (const [index, headers] of callers.entries()) {
        releases.push(toys.items.holdNext());
        asked.push(own.post({ query: NAME, variables: { id: '1' } }, headers));
        await arrived(index + 1);
      }
      // The first caller's second request has another token of the same subject and scopes.
      asked.push(own.post({ query: NAME, variables: { id: '1' } }, await bearer('Siti', 'a')));
      await own.post({ query: '{ __typename }' });
      for (const release of releases) release();
      await Promise.all(asked);
      expect(toys.items.requests).toHaveLength(callers.length);
      expect(await own.metric('gateway_shared_queries_total')).toBe(1);
    } finally {
      await own.stop();
    }
  });
});
