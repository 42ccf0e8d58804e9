import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { createChannel } from '../testing/channel.ts';
import { PROTOCOLS } from '../testing/protocol-clients.ts';
import { startTestGateway, type TestGateway } from '../testing/running-gateway.ts';
import { startToySubgraph, type ToySubgraph } from '../testing/toy-subgraph.ts';

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])`;
const ORDERS = parse(`${LINK}
  type Query { orders(of: [ID!]!): [Order!]! }
  type Mutation { order(of: [ID!]!): [Order!]! }
  type Subscription { ordered: [Order!]! }
  type Order { stock: Stock }
  type Stock @key(fields: "id") { id: ID! }`);
const STOCKS = parse(`${LINK}
  type Stock @key(fields: "id") { id: ID! name: String! parts: [String!] history(size: Int!): [String!] }`);

let orders: ToySubgraph;
let stocks: ToySubgraph;
let gateway: TestGateway;
const ordered = createChannel<readonly string[]>();

beforeAll(async () => {
  const list = (ids: unknown) => (ids as string[]).map((id) => ({ stock: { id } }));
  const ofIds = (_: unknown, { of }: Record<string, unknown>) => list(of);
  orders = await startToySubgraph(ORDERS, {
    Query: { orders: ofIds },
    Mutation: { order: ofIds },
    Subscription: {
      ordered: { subscribe: () => ordered.listen(), resolve: (ids: unknown) => list(ids) } as never,
    },
  });
  stocks = await startToySubgraph(STOCKS, {
    Stock: {
      __resolveReference: ({ id }) => (id === 'gone' ? null : { id }),
      name: ({ id }) => {
        if (id === 'bad') throw new Error('it has no name');
        return `stock ${id}`;
      },
      parts: ({ id }) => [id, id] as never,
      history: (_, { size }) => ['x'.repeat(Number(size))] as never,
    },
  });
  const parts = { orders: [orders, ORDERS], stocks: [stocks, STOCKS] } as const;
  const { supergraphSdl = '' } = composeServices(
    Object.entries(parts).map(([name, [{ url }, typeDefs]]) => ({ name, url, typeDefs })),
  );
  gateway = await startTestGateway(supergraphSdl, { LIMIT_ANSWER_KIB: '64' });
});
afterAll(async () => {
  await gateway.stop();
  await Promise.all([orders.kill(), stocks.kill()]);
});
afterEach(() => {
  stocks.requests.length = 0;
});

/** Ids of the representations in each request to the subgraph, oldest first. */
const requested = () =>
  stocks.requests.map(({ variables }) =>
    ((variables?.['representations'] ?? []) as { id: string }[]).map(({ id }) => id),
  );

const OF = ['b', 'a', 'b', 'c', 'a'];
const ONCE = [['b', 'a', 'c']];
const LIST = OF.map((id) => ({ stock: { name: `stock ${id}`, parts: [id, id] } }));

it.each([
  ['a query', 'query ($of: [ID!]!) { list: orders(of: $of) { stock { name parts } } }'],
  ['a mutation', 'mutation ($of: [ID!]!) { list: order(of: $of) { stock { name parts } } }'],
])('requests each entity once for %s, without and with the fast path', async (_what, query) => {
  for (let time = 1; time <= 2; time += 1) {
    const { data, errors } = await gateway.post({ query, variables: { of: OF } });
    expect(errors).toBeUndefined();
    expect(data).toEqual({ list: LIST });
    expect(requested().slice(time - 1)).toEqual(ONCE);
  }
});

it('requests each entity once for deferred fields', async () => {
  const response = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'multipart/mixed;deferSpec=20220824, application/json',
    },
    body: JSON.stringify({
      query: 'query ($of: [ID!]!) { orders(of: $of) { stock { ... @defer { name } } } }',
      variables: { of: OF },
    }),
  });
  const text = await response.text();
  for (const [index, id] of OF.entries()) {
    expect(text).toContain(`{"data":{"name":"stock ${id}"},"path":["orders",${index},"stock"]}`);
  }
  expect(requested()).toEqual(ONCE);
});

it.each(PROTOCOLS)('requests each entity once for events over %s', async (_protocol, open) => {
  const stream = open(gateway.url, { query: 'subscription { ordered { stock { name } } }' });
  await expect.poll(() => ordered.listening()).toBe(1);
  ordered.publish(OF);
  expect(await stream.take()).toMatchObject({
    data: { ordered: LIST.map(({ stock: { name } }) => ({ stock: { name } })) },
  });
  expect(requested()).toEqual(ONCE);
  stream.leave();
  await expect.poll(() => ordered.listening()).toBe(0);
});

it('requests each entity once for events that arrive together', async () => {
  const [[, open]] = PROTOCOLS;
  const stream = open(gateway.url, { query: 'subscription { ordered { stock { name } } }' });
  await expect.poll(() => ordered.listening()).toBe(1);
  const release = stocks.holdNext();
  ordered.publish(['a']);
  await expect.poll(requested).toEqual([['a']]);
  for (const id of ['b', 'c', 'b']) ordered.publish([id]);
  release();
  for (const id of ['a', 'b', 'c', 'b']) {
    expect(await stream.take()).toMatchObject({
      data: { ordered: [{ stock: { name: `stock ${id}` } }] },
    });
  }
  for (const ids of requested()) expect(ids).toEqual([...new Set(ids)]);
  stream.leave();
  await expect.poll(() => ordered.listening()).toBe(0);
});

it('names every place of an entity that has an error', async () => {
  const query = 'query ($of: [ID!]!) { orders(of: $of) { stock { name } } }';
  const of = ['a', 'bad', 'a', 'bad'];
  const { data, errors } = await gateway.post({ query, variables: { of } });
  const good = { stock: { name: 'stock a' } };
  expect(data).toEqual({ orders: [good, { stock: null }, good, { stock: null }] });
  expect(errors?.map(({ path }) => path)).toEqual([
    ['orders', 1, 'stock', 'name'],
    ['orders', 3, 'stock', 'name'],
  ]);
  expect(requested()).toEqual([['a', 'bad']]);
});

it('refuses an event whose repeated entities exceed the limit of an answer', async () => {
  const [[, open]] = PROTOCOLS;
  const query = 'subscription ($size: Int!) { ordered { stock { history(size: $size) } } }';
  const ask = async (size: number) => {
    const stream = open(gateway.url, { query, variables: { size } });
    await expect.poll(() => ordered.listening()).toBe(1);
    ordered.publish(Array.from({ length: 50 }, () => 'a'));
    const event = await stream.take();
    stream.leave();
    await expect.poll(() => ordered.listening()).toBe(0);
    return event;
  };
  expect(await ask(1_000)).not.toHaveProperty('errors');
  const refused = { extensions: { code: 'LIMIT_EXCEEDED', serviceName: 'stocks' } };
  expect(await ask(2_000)).toMatchObject({ errors: [refused] });
});
