import type { GraphQLFormattedError } from 'graphql';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { collect } from '../../../testing/collector.ts';
import { CHANGED, changed, changesReach } from '../../../testing/item-changes.ts';
import { startTestGateway, type TestGateway } from '../../../testing/running-gateway.ts';
import { composeToys, startToyGraph } from '../../../testing/toy-graph.ts';

let toys: Awaited<ReturnType<typeof startToyGraph>>;
let gateway: TestGateway;

beforeAll(async () => {
  toys = await startToyGraph();
  gateway = await startTestGateway(composeToys(toys.items.url, toys.ratings.url));
});
afterAll(async () => {
  await gateway.stop();
  await toys.stop();
});
afterEach(async () => {
  await gateway.closeClients();
  await listening(0);
});

/** Waits until the subgraph has this number of subscriptions. */
const listening = (count: number): Promise<void> => changesReach(toys, count);

describe('the gateway over graphql-transport-ws', () => {
  const shapes: [string, string, Record<string, unknown>, unknown][] = [
    [
      'an alias',
      'subscription { it: itemChanged(id: "7") { d: delta thing: item { r: rating } } }',
      {},
      { it: { d: 1, thing: { r: 7 } } },
    ],
    [
      'a fragment',
      'subscription { itemChanged(id: "7") { ...F } } fragment F on ItemChange { item { ... on Item { rating } } }',
      {},
      { itemChanged: { item: { rating: 7 } } },
    ],
    [
      'a root fragment',
      'subscription { ...F } fragment F on Subscription { other }',
      {},
      { other: 1 },
    ],
    [
      'a default of the schema',
      'subscription { itemChanged(id: "7") { note } }',
      {},
      { itemChanged: { note: 'none' } },
    ],
    [
      'a default variable',
      'subscription ($note: String = "dflt", $scale: Int = 3) { itemChanged(id: "7", note: $note) { note item { rating(scale: $scale) } } }',
      {},
      { itemChanged: { note: 'dflt', item: { rating: 21 } } },
    ],
    [
      'a variable for both subgraphs',
      'subscription ($id: ID!, $scale: Int, $size: Size) { itemChanged(id: $id, size: $size) { size item { rating(scale: $scale) } } }',
      { id: 7, scale: 2, size: 'LARGE' },
      { itemChanged: { size: 'LARGE', item: { rating: 14 } } },
    ],
    [
      'a nested @include',
      'subscription ($yes: Boolean!, $no: Boolean!) { itemChanged(id: "7") { delta @include(if: $no) item { name @skip(if: $yes) rating @include(if: $yes) } } }',
      { yes: true, no: false },
      { itemChanged: { item: { rating: 7 } } },
    ],
    [
      'a nested @include of nothing',
      'subscription ($no: Boolean!) { itemChanged(id: "7") { delta item @include(if: $no) { rating } } }',
      { no: false },
      { itemChanged: { delta: 1 } },
    ],
    [
      '__typename inside',
      'subscription { itemChanged(id: "7") { __typename item { __typename } } }',
      {},
      { itemChanged: { __typename: 'ItemChange', item: { __typename: 'Item' } } },
    ],
    [
      'an operation chosen by name',
      'query Q { hello(name: "x") } subscription S { other }',
      { operationName: 'S' },
      { other: 1 },
    ],
  ];
  it.each(shapes)('supports %s', async (_what, query, { operationName, ...variables }, data) => {
    const client = gateway.client();
    const came = new Promise((resolve, reject) => {
      const leave = client.subscribe(
        { query, variables, ...(operationName ? { operationName: String(operationName) } : {}) },
        {
          next: (result) => {
            resolve(result);
            leave();
          },
          error: reject,
          complete: () => {},
        },
      );
    });
    await listening(1);
    toys.changes.publish({ id: '7', delta: 1 });
    expect(await came).toEqual({ data });
  });

  const refused: [string, string, Record<string, unknown>, Record<string, unknown>][] = [
    ['syntax', 'subscription {', {}, { code: 'GRAPHQL_PARSE_FAILED' }],
    [
      'two root fields',
      'subscription { a: other b: other }',
      {},
      { code: 'GRAPHQL_VALIDATION_FAILED' },
    ],
    [
      '__typename as root',
      'subscription { __typename }',
      {},
      { code: 'GRAPHQL_VALIDATION_FAILED' },
    ],
    [
      '@include by variable on the root',
      'subscription ($x: Boolean!) { other @include(if: $x) }',
      { x: true },
      { code: 'GRAPHQL_VALIDATION_FAILED' },
    ],
    [
      '@skip by variable on the root',
      'subscription ($x: Boolean!) { other @skip(if: $x) }',
      { x: false },
      { code: 'GRAPHQL_VALIDATION_FAILED' },
    ],
    [
      '@defer',
      'subscription { itemChanged(id: "1") { ... @defer { delta } } }',
      {},
      { code: 'GRAPHQL_VALIDATION_FAILED' },
    ],
    [
      'a missing argument',
      'subscription { itemChanged { delta } }',
      {},
      { code: 'BAD_USER_INPUT', argument: 'id' },
    ],
    [
      'a wrong enum',
      'subscription { itemChanged(id: "1", size: HUGE) { delta } }',
      {},
      { code: 'BAD_USER_INPUT', argument: 'size', allowed: 'Size, one of SMALL, LARGE' },
    ],
    ['a missing variable', CHANGED, {}, { code: 'BAD_USER_INPUT', argument: 'id' }],
    [
      'a wrong variable of a query',
      'query ($n: Int) { items(first: $n) { id } }',
      { n: 'x' },
      { code: 'BAD_USER_INPUT', argument: 'first' },
    ],
    [
      'an unnamed operation of two',
      'query A { best { id } } query B { best { id } }',
      {},
      { code: 'OPERATION_RESOLUTION_FAILURE' },
    ],
  ];
  it.each(refused)(
    'rejects %s and keeps other operations running',
    async (_what, query, variables, extensions) => {
      const client = gateway.client();
      const alive = collect(client, CHANGED, { id: '8' });
      await listening(1);
      const { error } = (await collect(client, query, variables).take()) as {
        error: GraphQLFormattedError[];
      };
      expect(error).toHaveLength(1);
      expect(error[0]?.extensions).toMatchObject(extensions);
      toys.changes.publish({ id: '8', delta: 1 });
      expect(await alive.take()).toEqual({ next: { data: changed('8', 1) } });
      alive.leave();
    },
  );

  it('runs queries and mutations', async () => {
    const client = gateway.client();
    const query = collect(client, '{ best { name rating } }');
    expect(await query.take()).toEqual({ next: { data: { best: { name: 'item 1', rating: 1 } } } });
    expect(await query.take()).toEqual({ complete: true });
    const mutation = collect(client, 'mutation { rename(input: {id: "2", name: "two"}) { name } }');
    expect(await mutation.take()).toEqual({ next: { data: { rename: { name: 'two' } } } });
    const failing = collect(client, '{ fail(code: "NOT_FOUND") }');
    expect(await failing.take()).toMatchObject({
      next: { data: { fail: null }, errors: [{ extensions: { code: 'NOT_FOUND' } }] },
    });
  });
});
