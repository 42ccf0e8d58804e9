import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../testing/running-gateway.ts';
import { composeToys, startToyGraph } from '../testing/toy-graph.ts';

let toys: Awaited<ReturnType<typeof startToyGraph>>;
let gateway: TestGateway;

beforeAll(async () => {
  toys = await startToyGraph();
});
afterEach(() => gateway.stop());
afterAll(() => toys.stop());

/** Starts a gateway with another graph than Gudang's. */
async function start(environment: Record<string, string> = {}): Promise<void> {
  gateway = await startTestGateway(composeToys(toys.items.url, toys.ratings.url), environment);
}

function visit(path: string): Promise<Response> {
  return fetch(`${gateway.url}${path}`, { headers: { accept: 'text/html' } });
}

it.each(['/', '/live', '/graphiql', '/graphql'])(
  'serves %s for any graph, with a content security policy that allows only its own files',
  async (path) => {
    await start();
    const response = await visit(path);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain('text/html');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    const scripts = policy.split('; ').find((part) => part.startsWith('script-src'));
    expect(scripts).not.toMatch(/unsafe|\*/);
    expect(await response.text()).not.toMatch(/<script>|<style>| style=/);
  },
);

it('lets browsers cache the files of pages, and makes them revalidate the pages', async () => {
  await start();
  const page = await visit('/live');
  expect(page.headers.get('cache-control')).toBe('no-cache');
  const [, file] = /src="(\/pages\/live-[^"]+\.js)"/.exec(await page.text()) ?? [];
  const script = await visit(String(file));
  expect(script.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
  expect(script.headers.get('content-encoding')).toBe('gzip');
  expect(script.headers.get('x-content-type-options')).toBe('nosniff');
});

it('sends no page in answer to queries by GET, or to clients that do not ask for HTML', async () => {
  await start();
  const query = await visit('/graphql?query={__typename}');
  expect(query.headers.get('content-type')).not.toContain('text/html');
  const plain = await fetch(`${gateway.url}/graphql`, { headers: { accept: '*/*' } });
  expect(plain.status).toBe(400);
});

it('reports the state of a subgraph without /readyz', async () => {
  await start();
  const answer = async () => (await visit('/status')).json();
  expect(await answer()).toEqual({
    explorers: true,
    journeys: false,
    unavailable: [],
    parts: [
      { id: 'gateway', name: 'Gateway', state: 'ok', says: expect.any(String) },
      { id: 'subgraph items', name: 'Items subgraph', state: 'ok', says: 'Answers.' },
      { id: 'subgraph ratings', name: 'Ratings subgraph', state: 'ok', says: 'Answers.' },
    ],
  });
});

it('does not serve GraphiQL and Sandbox in production', async () => {
  await start({ NODE_ENV: 'production' });
  expect((await visit('/live')).status).toBe(200);
  expect((await visit('/graphiql')).status).toBe(404);
  expect((await visit('/graphql')).headers.get('content-type')).not.toContain('text/html');
});

it('serves no page with PAGES=false', async () => {
  await start({ PAGES: 'false' });
  for (const path of ['/', '/live', '/graphiql', '/status']) {
    expect((await visit(path)).status).toBe(404);
  }
  expect((await visit('/readyz')).status).toBe(200);
});

it('serves GraphiQL and Sandbox only with EXPLORE=true, in production and elsewhere', async () => {
  const introspect = async () =>
    (await gateway.post({ query: '{ __schema { types { name } } }' })).data ?? 'refused';
  await start({ NODE_ENV: 'production', EXPLORE: 'true' });
  expect((await visit('/graphiql')).status).toBe(200);
  expect(await introspect()).not.toBe('refused');
  await gateway.stop();
  await start({ EXPLORE: 'false' });
  expect((await visit('/graphiql')).status).toBe(404);
  expect(await introspect()).toBe('refused');
  const { errors } = await gateway.post({ query: '{ helo(name: "x") }' });
  expect(errors?.[0]?.message).not.toMatch(/did you mean/i);
});

it('sends headers against foreign scripts, framing and MIME sniffing', async () => {
  await start();
  for (const path of ['/graphql?query={__typename}', '/readyz', '/nowhere']) {
    const { headers } = await fetch(`${gateway.url}${path}`);
    expect([path, headers.get('x-content-type-options')]).toEqual([path, 'nosniff']);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  }
});
