import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { startTestGateway, type TestGateway } from '../testing/running-gateway.ts';
import { composeToys, startToyGraph } from '../testing/toy-graph.ts';

let toys: Awaited<ReturnType<typeof startToyGraph>>;
let gateway: TestGateway;

beforeAll(async () => {
  toys = await startToyGraph();
  gateway = await startTestGateway(composeToys(toys.items.url, toys.ratings.url), {
    SUBGRAPH_TIMEOUT_MS: '400',
    // The failures of one test must not open the breaker for the next one.
    SUBGRAPH_LIMITS: '*:breakerFailures=0',
  });
});
afterAll(async () => {
  await gateway.stop();
  await toys.stop();
});
afterEach(() => {
  toys.items.requests.length = 0;
});

const NAME = 'query ($id: ID!) { item(id: $id) { name } }';
const TRACE = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
const arrived = (count: number) =>
  vi.waitFor(() => expect(toys.items.requests).toHaveLength(count));
const unavailable = {
  errors: [{ extensions: { code: 'UNAVAILABLE' } }],
};

/** Sends identical queries, of which the others join the first. */
async function askAll(id: string, queries: readonly string[]) {
  const [first = '', ...others] = queries;
  const variables = { id };
  const asked = [gateway.post({ query: first, variables })];
  await arrived(1);
  for (const query of others) asked.push(gateway.post({ query, variables }));
  // All requests have arrived once this later request has been answered.
  await gateway.post({ query: '{ __typename }' });
  return asked;
}

describe('a failed shared execution', () => {
  it.each([
    ['refused with 431', { status: 431, text: '' }],
    ['refused with 400 and a GraphQL error', { status: 400, text: '{"errors": [{}]}' }],
    ['answered with text that is not GraphQL', { status: 200, text: 'what?' }],
  ])('that was %s fails only its first request', async (what, replaced) => {
    const release = toys.items.holdNext();
    const [first, ...others] = await askAll(what, [NAME, NAME, NAME, NAME]);
    release(replaced);
    expect((await first)?.errors).toHaveLength(1);
    for (const other of others)
      expect((await other).data).toEqual({ item: { name: `item ${what}` } });
    // The others share one request to the subgraph.
    expect(toys.items.requests).toHaveLength(2);
  });

  it('fails only its first request if the other operations differ in whitespace', async () => {
    const release = toys.items.holdNext();
    const [first, ...others] = await askAll('2', [NAME, `${NAME} `, `${NAME}  `]);
    release({ status: 431, text: '' });
    expect(await first).toMatchObject(unavailable);
    for (const other of others) expect((await other).data).toEqual({ item: { name: 'item 2' } });
    expect(toys.items.requests).toHaveLength(2);
  });

  it('does not hand its deadline to requests that joined it', async () => {
    const release = toys.items.holdNext();
    const [first, ...others] = await askAll('3', [NAME, NAME, `${NAME} `]);
    expect(await first).toMatchObject(unavailable);
    for (const other of others) expect((await other).data).toEqual({ item: { name: 'item 3' } });
    release();
  });

  it('is repeated once while the subgraph keeps failing', async () => {
    const release = toys.items.holdNext();
    const asked = await askAll('4', [NAME, NAME, `${NAME} `, `${NAME} `]);
    toys.items.breakWith = { status: 502, text: 'no' };
    release(toys.items.breakWith);
    for (const one of asked) expect(await one).toMatchObject(unavailable);
    toys.items.breakWith = undefined;
  });
});

describe('the trace context of a request', () => {
  it('never makes a subgraph refuse a shared request', async () => {
    // The subgraph accepts 16 KiB of headers.
    const answer = await gateway.post(
      { query: NAME, variables: { id: '5' } },
      { ...TRACE, tracestate: `a=${'x'.repeat(16_000)}` },
    );
    expect(answer).toEqual({ status: 200, data: { item: { name: 'item 5' } } });
    expect(toys.items.requests[0]?.headers['tracestate']).toBeUndefined();
  });

  it('reaches subgraphs, but tracestate only if the request is not shared', async () => {
    const headers = { ...TRACE, tracestate: 'a=b' };
    await gateway.post({ query: NAME, variables: { id: '6' } }, headers);
    const query = 'mutation { rename(input: { id: "6", name: "six" }) { name } }';
    await gateway.post({ query }, headers);
    expect(
      toys.items.requests.map(({ headers: { traceparent, tracestate } }) => [
        traceparent,
        tracestate,
      ]),
    ).toEqual([
      [TRACE.traceparent, undefined],
      [TRACE.traceparent, 'a=b'],
    ]);
  });
});
