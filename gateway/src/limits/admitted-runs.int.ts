import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../testing/running-gateway.ts';
import { composeToys, startToyGraph } from '../testing/toy-graph.ts';

let toys: Awaited<ReturnType<typeof startToyGraph>>;
let gateway: TestGateway;
let received: number;

beforeAll(async () => {
  toys = await startToyGraph();
  gateway = await startTestGateway(composeToys(toys.items.url, toys.ratings.url), {
    LIMIT_COST: '12',
  });
  received = toys.items.requests.length;
});
afterEach(() => {
  received = toys.items.requests.length;
});
afterAll(async () => {
  await gateway.stop();
  await toys.stop();
});

/** A query whose cost of 20 is above the limit. */
const COSTLY = '{ items(first: 20) { id } }';

/** Sends a raw request target, which an HTTP client would encode or reject. */
async function send(target: string, lines = ''): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(gateway.url);
  const socket = connect(Number(port), hostname);
  const headers = `Host: ${hostname}:${port}\r\nConnection: close\r\napollo-require-preflight: 1\r\n`;
  socket.write(`GET ${target} HTTP/1.1\r\n${headers}${lines}\r\n`);
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return { status: Number(text.split(' ')[1]), text };
}

const encoded = encodeURIComponent(COSTLY);
const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');
const persisted = (text: string) => ({
  extensions: { persistedQuery: { version: 1, sha256Hash: hashOf(text) } },
});

describe('a request that two parsers could read differently', () => {
  it.each([
    ['a fragment before the query', `/graphql#?query=${encoded}`],
    ['a fragment in the query', `/graphql?a=1#&query=${encoded}`],
    ['malformed percent-encoding', `/graphql?query=${encoded}%zz`],
    ['percent-encoding that is not UTF-8', `/graphql?query=${encoded}%23%ff`],
    ['two queries', `/graphql?query=%7B__typename%7D&query=${encoded}`],
    ['two names of parameters that decode to the same', `/graphql?query=x&%71uery=${encoded}`],
    ['a second question mark', `/graphql??query=${encoded}`],
  ])('is rejected with 400: %s', async (_what, target) => {
    expect((await send(target)).status).toBe(400);
    expect(toys.items.requests).toHaveLength(received);
  });

  it.each([
    ['null', null],
    ['a list', [COSTLY]],
    ['zero', 0],
    ['false', false],
    ['an object', { kind: 'Document' }],
  ])('is rejected if the query is %s and the id is unknown', async (_what, query) => {
    // This text is above the limit, so it must not become a persisted query that the next request
    // could run.
    await gateway.post({ query: COSTLY, ...persisted(COSTLY) });
    const { errors, data } = await gateway.post({ query, ...persisted(COSTLY) });
    expect(data).toBeUndefined();
    expect(errors).toHaveLength(1);
    expect(toys.items.requests).toHaveLength(received);
  });

  it('is accepted if the query is null and the id is that of a persisted query', async () => {
    const query = '{ hello(name: "you") }';
    await gateway.post({ query, ...persisted(query) });
    expect(await gateway.post({ query: null, ...persisted(query) })).toMatchObject({
      data: { hello: 'hello you' },
    });
  });
});

describe('admission', () => {
  it('stores no persisted query that exceeds a limit', async () => {
    expect(await gateway.post({ query: COSTLY, ...persisted(COSTLY) })).toMatchObject({
      errors: [{ extensions: { code: 'LIMIT_EXCEEDED' } }],
    });
    expect(await gateway.post(persisted(COSTLY))).toMatchObject({
      errors: [{ extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } }],
    });
  });

  it.each(['', 'Unknown'])(
    'gives the same answer to the operation name %j before and after the operation is cached',
    async (operationName) => {
      const query = `{ hello(name: "again ${operationName}") }`;
      const first = await gateway.post({ query, operationName });
      await gateway.post({ query });
      await gateway.post({ query });
      expect(await gateway.post({ query, operationName })).toEqual(first);
      expect(first.data !== undefined).toBe(operationName === '');
    },
  );

  it('does not confuse the end of an operation name with the start of the text', async () => {
    const text = 'query A { hello(name: "A") }';
    const query = `# a comment\n${text}`;
    await gateway.post({ query, operationName: 'A' });
    expect(await gateway.post({ query, operationName: 'A' })).toHaveProperty('data.hello');
    const shifted = await gateway.post({ query: text, operationName: 'A\n# a comment' });
    expect(shifted.data).toBeUndefined();
  });
});

describe('an answer to bad input', () => {
  const wrong = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`${n}${'x'.repeat(50)}`, n]));

  it('has a bounded size', async () => {
    const query = `mutation ($in: RenameInput!) { ${Array.from(
      { length: 40 },
      (_, n) => `a${n}: rename(input: $in) { id }`,
    ).join(' ')} }`;
    const limitless = { in: { id: '1', name: 'n', ...wrong(1_500) } };
    const response = await gateway.post({ query, variables: limitless });
    expect(JSON.stringify(response).length).toBeLessThan(100_000);
    const long = await gateway.post({
      query: 'mutation ($in: RenameInput!) { rename(input: $in) { id } }',
      variables: limitless,
    });
    expect(long.status).toBe(400);
    expect(long.errors?.length).toBe(10);
    expect(JSON.stringify(long).length).toBeLessThan(20_000);
  });

  it('is computed quickly for any text in a value', async () => {
    const variables = { n: { [` at "${'a'.repeat(100_000)}`]: 1 } };
    const start = performance.now();
    const query = 'query ($n: Int) { items(first: $n) { id } }';
    expect((await gateway.post({ query, variables })).status).toBe(400);
    expect(performance.now() - start).toBeLessThan(2_000);
  });

  it('has a bounded size when the operation contains long names', async () => {
    const name = 'x'.repeat(100_000);
    const uses = Array.from({ length: 40 }, (_, n) => `items(first: $v${n}) { id }`);
    const query = `query ${name} { ${uses.slice(0, 1).join(' ')} ...${name} }`;
    const response = await gateway.post({ query });
    expect(response.status).toBe(400);
    expect(JSON.stringify(response).length).toBeLessThan(20_000);
  });
});
