import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { GatewayPlugin, LiveEnd, LiveEvent } from '../../plugin.d.ts';
import { startEchoGraph } from '../testing/echo-graph.ts';
import { PROTOCOLS } from '../testing/protocol-clients.ts';
import { startTestGateway, type TestGateway } from '../testing/running-gateway.ts';

const EXAMPLES = join(import.meta.dirname, '../../docs/plugins');
const BOTH = '{ seen thing { seen } }';
const TICKED = 'subscription Ticks { ticked { n seen } }';

let graph: Awaited<ReturnType<typeof startEchoGraph>>;
let folder: string;
let modules = 0;
const running: TestGateway[] = [];

beforeAll(async () => {
  graph = await startEchoGraph();
  folder = await mkdtemp(join(tmpdir(), 'plugins-'));
});
afterAll(async () => {
  await graph.stop();
  await rm(folder, { recursive: true });
});
afterEach(async () => {
  for (const gateway of running.splice(0)) await gateway.stop();
  vi.unstubAllEnvs();
  for (const { requests, operations } of [graph.first, graph.second]) {
    requests.length = 0;
    operations.length = 0;
  }
});

/** Writes a module. @returns its path */
async function writeModule(text: string): Promise<string> {
  modules += 1;
  const file = join(folder, `${modules}.mjs`);
  await writeFile(file, text);
  return file;
}

const PLUGINS = Symbol.for('plugins under test');
const plugins = new Map<number, GatewayPlugin>();
Object.assign(globalThis, { [PLUGINS]: plugins });

/** Writes a module that exports a plugin of this process. */
async function moduleOf(plugin: GatewayPlugin): Promise<string> {
  const id = plugins.size;
  plugins.set(id, plugin);
  return writeModule(`export default globalThis[Symbol.for('plugins under test')].get(${id});`);
}

async function start(...paths: string[]): Promise<TestGateway> {
  const gateway = await startTestGateway(graph.sdl, {
    GATEWAY_PLUGINS: paths.join(','),
    DRAIN_MS: '0',
  });
  running.push(gateway);
  return gateway;
}
const startWith = async (plugin: GatewayPlugin) => start(await moduleOf(plugin));

const seenIn = (answer: { data?: unknown }): Record<string, string> =>
  JSON.parse(String((answer.data as { seen: unknown }).seen));

describe('a plugin of Apollo Server', () => {
  it('follows every request, with its headers, while requests to subgraphs are sent once', async () => {
    const hooks: string[] = [];
    const gateway = await startWith({
      async requestDidStart({ request, contextValue }) {
        hooks.push(`start ${request.http?.headers.get('x-name')} ${contextValue.identity.scopes}`);
        return {
          async willSendResponse({ response, operation }) {
            response.http.headers.set('x-of', request.http?.headers.get('x-name') ?? '');
            hooks.push(`end ${operation?.operation}`);
          },
        };
      },
    });
    const release = graph.first.holdNext();
    const ask = async (name: string) => {
      const response = await fetch(`${gateway.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-name': name },
        body: JSON.stringify({ query: BOTH }),
      });
      return response.headers.get('x-of');
    };
    const asked = ['a', 'b', 'c'].map(ask);
    await vi.waitFor(() => expect(hooks).toHaveLength(3));
    await vi.waitFor(() => expect(graph.first.requests).toHaveLength(1));
    await gateway.post({ query: '{ __typename }' });
    release();
    expect(await Promise.all(asked)).toEqual(['a', 'b', 'c']);
    expect(graph.first.requests).toHaveLength(1);
    expect(await ask('d')).toBe('d');
    expect(hooks.filter((hook) => hook.startsWith('start'))).toHaveLength(5);
  });

  it('may refuse an operation, answer it, and fail without ending the gateway', async () => {
    const gateway = await startWith({
      async requestDidStart({ request }) {
        if (request.operationName === 'Throw') throw new Error('secret');
        return {
          async didResolveOperation({ operationName }) {
            if (operationName !== 'Refuse') return;
            throw Object.assign(new Error('not today'), { extensions: { code: 'TODAY' } });
          },
          async responseForOperation({ operationName, response }) {
            if (operationName !== 'Answer') return null;
            const body = { kind: 'single', singleResult: { data: { seen: 'own' } } } as const;
            return { ...response, http: response.http, body } as never;
          },
          async willSendResponse({ operationName }) {
            if (operationName === 'FailLate') throw new Error('secret');
          },
        };
      },
    });
    const ask = (name: string) =>
      gateway.post({ query: `query ${name} { seen }`, operationName: name });
    expect(await ask('Answer')).toMatchObject({ data: { seen: 'own' } });
    expect(await ask('Refuse')).toMatchObject({ errors: [{ extensions: { code: 'TODAY' } }] });
    expect(graph.first.requests).toEqual([]);
    for (const name of ['Throw', 'FailLate']) {
      const failed = await ask(name);
      expect(failed).toMatchObject({ status: 500, errors: [{ message: 'Internal error' }] });
      expect(JSON.stringify(failed)).not.toContain('secret');
    }
    expect(await ask('Other')).toMatchObject({ data: { seen: '{}' } });
  });

  it('may be a class, and follows the start and the stop', async () => {
    const calls: string[] = [];
    class Plugin implements GatewayPlugin {
      readonly name = 'a class';
      async serverWillStart() {
        calls.push(this.name);
        return new Listener();
      }
    }
    class Listener {
      readonly name = 'a listener';
      async serverWillStop() {
        calls.push(this.name);
      }
    }
    const gateway = await startWith(new Plugin());
    running.length = 0;
    await gateway.stop();
    expect(calls).toEqual(['a class', 'a listener']);
  });
});

describe('willSendSubgraphRequest', () => {
  it('sets headers, by which requests to subgraphs are deduplicated', async () => {
    let count = 0;
    const kinds = new Set<string>();
    const gateway = await startWith({
      willSendSubgraphRequest: async ({ subgraph, kind, query, headers }) => {
        kinds.add(`${subgraph} ${kind}`);
        headers.set('x-of', query.includes('thing') ? 'same' : String(++count));
      },
    });
    const release = graph.first.holdNext();
    // The queries differ, so each has its own execution.
    const asked = ['{ seen }', '{  seen }', '{ thing { id } }', '{  thing { id } }'].map((query) =>
      gateway.post({ query }),
    );
    await vi.waitFor(() => expect(graph.first.requests).toHaveLength(3));
    await gateway.post({ query: '{ __typename }' });
    release();
    const [one, other] = await Promise.all(asked);
    expect([one, other].map((answer) => seenIn(answer ?? {})['x-of']).sort()).toEqual(['1', '2']);
    expect(graph.first.requests).toHaveLength(3);
    expect(await gateway.post({ query: 'mutation { change }' })).toMatchObject({ status: 200 });
    expect(kinds).toEqual(new Set(['first query', 'first mutation']));
  });

  it('sets headers of a subscription and of the requests that add fields to its events', async () => {
    const gateway = await startWith({
      willSendSubgraphRequest: ({ kind, headers }) => headers.set('x-kind', kind),
    });
    const query = 'subscription { ticked { seen thing { seen } } }';
    const stream = PROTOCOLS[1][1](gateway.url, { query });
    await vi.waitFor(() => expect(graph.listening()).toBe(1));
    graph.tick();
    expect(await stream.take()).toEqual({
      data: {
        ticked: { seen: '{"x-kind":"subscription"}', thing: { seen: '{"x-kind":"event"}' } },
      },
    });
    stream.leave();
  });

  it('may refuse a request, which is not sent then', async () => {
    const gateway = await startWith({
      willSendSubgraphRequest: async ({ subgraph, headers }) => {
        if (subgraph === 'second') headers.set('host', 'elsewhere');
        else throw Object.assign(new Error('closed'), { extensions: { code: 'CLOSED' } });
      },
    });
    expect(await gateway.post({ query: '{ seen }' })).toMatchObject({
      data: { seen: null },
      errors: [{ message: 'closed', extensions: { code: 'CLOSED', serviceName: 'first' } }],
    });
    expect(await gateway.post({ query: '{ other }' })).toMatchObject({
      data: { other: null },
      errors: [{ message: 'Internal error' }],
    });
    const stream = PROTOCOLS[0][1](gateway.url, { query: TICKED });
    expect(await stream.take()).toMatchObject({ errors: [{ message: 'closed' }] });
    stream.leave();
    expect([graph.first.requests, graph.second.requests, graph.first.operations]).toEqual([
      [],
      [],
      [],
    ]);
  });
});

describe('hooks of the live engine', () => {
  const events: LiveEvent[] = [];
  const ends: LiveEnd[] = [];
  const subscribed: unknown[] = [];
  const ended: unknown[] = [];
  let isFull = false;
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await startWith({
      liveSubscribe: async (subscription) => {
        if (isFull) throw Object.assign(new Error('full'), { extensions: { code: 'FULL' } });
        subscribed.push(subscription);
      },
      liveEvent: (event) => void events.push(event),
      liveEnd: (subscription, end) => {
        ended.push(subscription);
        ends.push(end);
        throw new Error('must not matter');
      },
    });
    running.length = 0;
  });
  afterAll(() => gateway.stop());
  afterEach(() => {
    isFull = false;
    for (const list of [events, ends, subscribed, ended]) list.length = 0;
  });

  it.each(PROTOCOLS)('follow a stream over %s, and each event once', async (_protocol, open) => {
    const streams = [open(gateway.url, { query: TICKED }), open(gateway.url, { query: TICKED })];
    await vi.waitFor(() => expect(subscribed).toHaveLength(2));
    await vi.waitFor(() => expect(graph.listening()).toBe(1));
    graph.tick();
    for (const stream of streams) expect(await stream.take()).toHaveProperty('data.ticked.n');
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ subgraph: 'first', field: 'ticked' });
    expect(events[0]?.result.data).toHaveProperty('ticked.seen', '{}');
    for (const stream of streams) stream.leave();
    await vi.waitFor(() => expect(ends).toHaveLength(2));
    expect(ends[0]).toMatchObject({ reason: 'left', messages: 1 });
    expect(new Set(ended)).toEqual(new Set(subscribed));
    expect(subscribed[0]).toMatchObject({ field: 'ticked', operationName: 'Ticks' });
    await vi.waitFor(() => expect(graph.listening()).toBe(0));
  });

  it.each(PROTOCOLS)('may refuse a subscription over %s', async (_protocol, open) => {
    isFull = true;
    const stream = open(gateway.url, { query: TICKED });
    expect(await stream.take()).toMatchObject({
      errors: [{ message: 'full', extensions: { code: 'FULL' } }],
    });
    stream.leave();
    expect([graph.first.operations, ends]).toEqual([[], []]);
  });
});

describe('the example', () => {
  it('tenant-header separates tenants on every way, and refuses unknown ones', async () => {
    vi.stubEnv('TENANTS', 'a,b');
    const gateway = await start(join(EXAMPLES, 'tenant-header.mjs'));
    const release = graph.first.holdNext();
    const asked = ['a', 'b'].map((tenant) => gateway.post({ query: BOTH }, { 'x-tenant': tenant }));
    await vi.waitFor(() => expect(graph.first.requests).toHaveLength(2));
    release();
    const answers = await Promise.all(asked);
    expect(answers.map((answer) => seenIn(answer)['x-tenant'])).toEqual(['a', 'b']);
    expect(await gateway.post({ query: BOTH }, { 'x-tenant': 'c' })).toMatchObject({
      status: 403,
      errors: [{ extensions: { code: 'FORBIDDEN' } }],
    });
    const [socket, sse] = PROTOCOLS;
    const refused = socket[1](gateway.url, { query: TICKED }, undefined, undefined, {
      tenant: 'c',
    });
    expect(await refused.take()).toBe('lost');
    const streams = [
      socket[1](gateway.url, { query: TICKED }, undefined, undefined, { tenant: 'a' }),
      sse[1](gateway.url, { query: TICKED }, undefined, { 'x-tenant': 'a' }),
      sse[1](gateway.url, { query: TICKED }, undefined, { 'x-tenant': 'b' }),
    ];
    await vi.waitFor(() => expect(graph.listening()).toBe(2));
    // Ticks until both clients of a have joined their stream.
    const ticking = setInterval(graph.tick, 5);
    const seen = await Promise.all(
      streams.map(async ({ take, leave }) => {
        const { data } = (await take()) as { data: { ticked: { seen: string } } };
        leave();
        return seenIn({ data: data.ticked })['x-tenant'];
      }),
    );
    clearInterval(ticking);
    expect(seen).toEqual(['a', 'a', 'b']);
  });

  it('audit-log writes mutations and subscriptions, and refuses them if it cannot write', async () => {
    const file = join(folder, 'audit.jsonl');
    vi.stubEnv('AUDIT_LOG', file);
    const gateway = await start(join(EXAMPLES, 'audit-log.mjs'));
    await gateway.post({ query: '{ seen }' });
    await gateway.post({ query: 'mutation Change { change }', operationName: 'Change' });
    const stream = PROTOCOLS[0][1](gateway.url, { query: TICKED });
    await vi.waitFor(() => expect(graph.listening()).toBe(1));
    stream.leave();
    const lines = async () =>
      (await readFile(file, 'utf8'))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
    await vi.waitFor(async () => expect(await lines()).toHaveLength(3));
    expect(await lines()).toMatchObject([
      { kind: 'mutation', operationName: 'Change', fields: ['change'] },
      { kind: 'subscribe', field: 'ticked' },
      { kind: 'end', field: 'ticked', reason: 'left', messages: 0 },
    ]);
    await rm(file);
    const before = graph.first.requests.length;
    // A folder in place of the file cannot be written.
    await mkdir(file);
    expect(await gateway.post({ query: 'mutation { change }' })).toMatchObject({ status: 500 });
    expect(graph.first.requests).toHaveLength(before);
  });

  it('usage-report counts operations by client, and messages of streams', async () => {
    const file = join(folder, 'usage.json');
    vi.stubEnv('USAGE_REPORT', file);
    const gateway = await start(join(EXAMPLES, 'usage-report.mjs'));
    const app = { 'apollographql-client-name': 'app' };
    for (let run = 0; run < 3; run += 1) await gateway.post({ query: 'query Seen { seen }' }, app);
    await gateway.post({ query: '{ unknown }' });
    const stream = PROTOCOLS[1][1](gateway.url, { query: TICKED }, undefined, app);
    await vi.waitFor(() => expect(graph.listening()).toBe(1));
    graph.tick();
    await stream.take();
    stream.leave();
    running.length = 0;
    await gateway.stop();
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({
      'app Seen': { operations: 3, errors: 0, messages: 0 },
      'unknown invalid': { operations: 1, errors: 1 },
      'app Ticks': { operations: 1, messages: 1 },
    });
  });
});

describe('a gateway does not start with a module that', () => {
  const failing: [string, string, RegExp][] = [
    ['cannot be parsed', 'export default {', /cannot be loaded: /],
    ['throws', 'throw new Error("not here")', /cannot be loaded: not here$/],
    ['creates no plugin', 'export default () => { throw new Error("no file") }', /: no file$/],
    ['has no default export', 'export const plugin = {}', /must have a default export/],
    ['exports no hook', 'export default { name: "empty" }', /at least one hook/],
    ['exports a hook that is no function', 'export default { liveEnd: 7 }', /at least one hook/],
    [
      'fails in serverWillStart',
      'export default { name: "x", serverWillStart: async () => { throw new Error("no port") } }',
      /the plugin x failed in serverWillStart: no port$/,
    ],
  ];
  it.each(failing)('%s', async (_what, text, message) => {
    await expect(start(await writeModule(text))).rejects.toThrow(message);
  });

  it('is missing, whether a path or a package', async () => {
    await expect(start('./missing.mjs')).rejects.toThrow(
      /^GATEWAY_PLUGINS: \.\/missing\.mjs cannot be loaded: /,
    );
    await expect(start('missing-package')).rejects.toThrow(/missing-package cannot be loaded: /);
  });
});
