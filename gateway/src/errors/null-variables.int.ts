import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PROTOCOLS } from '../testing/protocol-clients.ts';
import { startTestGateway, type TestGateway } from '../testing/running-gateway.ts';
import { composeToys, startToyGraph } from '../testing/toy-graph.ts';

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
afterEach(() => {
  toys.items.requests.length = 0;
});

const refusal = (argument: string, message: string) =>
  expect.objectContaining({
    message,
    extensions: expect.objectContaining({ code: 'BAD_USER_INPUT', argument }),
  });
const OF_ID = refusal('id', 'Argument "id" of non-null type "ID!" must not be null.');
const OF_IF = refusal('if', 'Argument "if" of non-null type "Boolean!" must not be null.');

const CASES: [string, string, unknown][] = [
  ['an argument', 'query ($x: ID = "1") { item(id: $x) { name } }', OF_ID],
  ['@skip', 'query ($x: Boolean = false) { item(id: "1") { name id @skip(if: $x) } }', OF_IF],
  [
    '@include in a fragment',
    'query ($x: Boolean = true) { item(id: "1") { ...F } } fragment F on Item { name id @include(if: $x) }',
    OF_IF,
  ],
  [
    'a field of an input object',
    'mutation ($x: ID = "1") { rename(input: {id: $x, name: "x"}) { name } }',
    refusal('input', 'Argument "input" has invalid value {id: $x, name: "x"}.'),
  ],
];

describe.each(CASES)('null in %s where null is not allowed', (_what, query, error) => {
  it('is rejected with the message of graphql-js before and after the operation is cached', async () => {
    const refused = { status: 400, errors: [error] };
    expect(await gateway.post({ query, variables: { x: null } })).toEqual(refused);
    expect(toys.items.requests).toEqual([]);
    expect((await gateway.post({ query })).data).toBeDefined();
    toys.items.requests.length = 0;
    expect(await gateway.post({ query, variables: { x: null } })).toEqual(refused);
    expect(toys.items.requests).toEqual([]);
  });

  it.each(PROTOCOLS.slice(0, 2))('is rejected over %s', async (_protocol, open) => {
    const stream = open(gateway.url, { query, variables: { x: null } });
    expect(await stream.take()).toEqual({ errors: [error] });
    stream.leave();
    expect(toys.items.requests).toEqual([]);
  });
});

it.each(PROTOCOLS)('rejects a live operation with such a null over %s', async (_protocol, open) => {
  const query = 'subscription ($x: ID = "1") { itemChanged(id: $x) { delta } }';
  const stream = open(gateway.url, { query, variables: { x: null } });
  expect(await stream.take()).toEqual({ errors: [OF_ID] });
  stream.leave();
});

it('accepts such a null in a field that is left out', async () => {
  const query =
    'query ($x: ID = "1", $yes: Boolean!) { item(id: "2") { name } other: item(id: $x) @skip(if: $yes) { id } }';
  const variables = { x: null, yes: true };
  expect((await gateway.post({ query, variables })).data).toEqual({ item: { name: 'item 2' } });
});
