import { SECRET_HEADER } from '@gudang/auth';
import { signToken, TOKEN_SETTINGS } from '@gudang/auth/testing';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { composeMarkedToys } from '../testing/marked-toys.ts';
import { startTestGateway, type TestGateway } from '../testing/running-gateway.ts';
import { startToyGraph } from '../testing/toy-graph.ts';

let toys: Awaited<ReturnType<typeof startToyGraph>>;
let gateway: TestGateway;
let authorization: string;

beforeAll(async () => {
  toys = await startToyGraph();
  gateway = await startTestGateway(composeMarkedToys(toys.items.url, toys.ratings.url), {
    ...TOKEN_SETTINGS,
    SUBGRAPH_SECRET: 'between the gateway and the toys',
  });
  authorization = `Bearer ${await signToken({ sub: 'Siti', scope: 'items:write' })}`;
});
afterAll(async () => {
  await gateway.stop();
  await toys.stop();
});
afterEach(() => {
  toys.ratings.breakWith = undefined;
  toys.items.requests.length = 0;
});

/** Sends a request, and returns the answer without its date and error ids. */
async function ask(body: object, headers: Record<string, string> = {}) {
  const response = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization, ...headers },
    body: JSON.stringify(body),
  });
  const text = (await response.text()).replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'an id');
  const shown = [...response.headers].filter(([name]) => name !== 'date');
  return { status: response.status, headers: shown, text };
}

const RATED = 'query ($no: Boolean = false) { items { id rating(scale: 10) @skip(if: $no) } }';
const SEVERAL = 'query A { item(id: 1) { id } } query B { item(id: 2) { id rating } }';
const RENAME = 'mutation ($in: RenameInput!) { rename(input: $in) { name rating } }';
const FAIL = 'query ($code: String) { fail(code: $code) hello(name: "x") }';
const JSON_TYPES = 'application/graphql-response+json, application/json;q=0.9';

it.each<[string, object, object?, Record<string, string>?]>([
  ['fields of two subgraphs', { query: RATED }],
  ['a variable that skips a field', { query: RATED, variables: { no: true } }],
  ['a variable that is null', { query: RATED, variables: { no: null } }],
  ['no variables', { query: RATED, variables: null }],
  ['one of several operations', { query: SEVERAL, operationName: 'B' }],
  ['no name for several operations', { query: SEVERAL }, { query: SEVERAL, operationName: 'A' }],
  ['a mutation', { query: RENAME, variables: { in: { id: '3', name: 'x' } } }],
  ['a mutation with a key', renamed(), renamed(), { 'idempotency-key': 'k' }],
  ['an alias and a fragment', { query: '{ a: item(id: 1) { ...f } } fragment f on Item { name }' }],
  ['aliases named like keys', { query: '{ items { id: name a: id rating: __typename } }' }],
  ['extensions of an Apollo client', { query: RATED, extensions: { clientLibrary: {} } }],
  ['introspection', { query: '{ __schema { queryType { name } } }' }],
  ['__typename alone', { query: '{ __typename }' }],
  ["a subgraph's error", { query: FAIL, variables: { code: 'NOT_FOUND' } }, { query: FAIL }],
  ['an invalid variable', { query: RENAME, variables: { in: 1 } }, renamed()],
  ['a missing variable', { query: RENAME }, renamed()],
  ['a field without permission', { query: RATED }, { query: RATED }, { authorization: '' }],
  [
    'the media type of GraphQL over HTTP',
    { query: RATED },
    { query: RATED },
    { accept: JSON_TYPES },
  ],
  ['an unsupported media type', { query: RATED }, { query: RATED }, { accept: 'text/html' }],
])(
  'answers a cached operation exactly like an uncached one: %s',
  async (_what, body, before, headers) => {
    const first = await ask(body, headers);
    // A request that fails does not cache its operation. For such a request, `before` has the same
    // text but succeeds.
    await ask(before ?? body, { ...headers, authorization });
    expect(await ask(body, headers)).toEqual(first);
    expect(await ask(body, headers)).toEqual(first);
  },
);

function renamed() {
  return { query: RENAME, variables: { in: { id: '3', name: 'x' } } };
}

it.each(['uncached', 'cached'])(
  'answers with the names that the client has chosen, even if plans use them: %s',
  async () => {
    const query =
      'query ($representations: ID!) { id: item(id: $representations) { __typename: id id: name rating } }';
    const { text } = await ask({ query, variables: { representations: '7' } });
    expect(JSON.parse(text)).toEqual({
      data: { id: { __typename: '7', id: 'item 7', rating: 7 } },
    });
  },
);

it('lets Apollo Server present the failure of a subgraph, without a second execution', async () => {
  const query = '{ items { id rating } best { id } }';
  await ask({ query });
  toys.items.requests.length = 0;
  toys.ratings.breakWith = { status: 503, text: 'no' };
  const known = await ask({ query });
  expect(toys.items.requests).toHaveLength(1);
  const unknown = await ask({ query: `${query} ` });
  expect(known).toEqual(unknown);
  expect(known.text).toMatch(/^\{"errors":\[.*"UNAVAILABLE"/);
});

it('sends the identity and the trace to subgraphs', async () => {
  const query = '{ item(id: "77") { name } }';
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  for (let time = 0; time < 3; time += 1) await ask({ query }, { traceparent });
  const [first, ...others] = toys.items.requests.map(({ headers }) => [
    headers['traceparent'],
    headers['gudang-identity'],
    headers[SECRET_HEADER],
  ]);
  expect(first).toEqual([traceparent, expect.any(String), expect.any(String)]);
  expect(others).toEqual([first, first]);
});

it('counts operations by their first field in both pipelines', async () => {
  const of = async () => {
    const text = await (await fetch(`${gateway.url}/metrics`)).text();
    const series =
      /^gateway_request_seconds_count\{[^}]*operation="query",outcome="ok",field="item"\} (\d+)/m;
    return Number(series.exec(text)?.[1] ?? 0);
  };
  const before = await of();
  for (let time = 0; time < 3; time += 1) await ask({ query: '{ a: item(id: "78") { name } }' });
  expect((await of()) - before).toBe(3);
});
