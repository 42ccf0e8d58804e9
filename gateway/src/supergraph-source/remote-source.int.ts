import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHealth, createLogger, createMetrics, type Stoppable } from '@gudang/runtime';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { composeTiny, startToyRegistry, type ToyRegistry } from '../testing/toy-registry.ts';
import { createKeptCopy } from './kept-copy.ts';
import { loadFromRegistry } from './remote-source.ts';
import { createUrlRegistry } from './url-registry.ts';

const OLD = composeTiny('http://127.0.0.1:1/graphql');
const NEW = composeTiny('http://127.0.0.1:2/graphql');
/** This supergraph is valid, but the rig refuses its address. */
const UNUSABLE = composeTiny('http://unusable.example/graphql');
const BROKEN = 'type Query { a: Int }';
const TEXTS = { OLD, NEW, BROKEN, UNUSABLE };
const nameOf = (sdl: string) => Object.entries(TEXTS).find(([, text]) => text === sdl)?.[0] ?? sdl;

let folder: string;
let registry: ToyRegistry;
const running: Stoppable[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'supergraph-'));
  registry = await startToyRegistry(OLD);
});
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
  await registry.stop();
  await rm(folder, { recursive: true });
});

interface Opened {
  /** Names of the supergraphs that were used, in this order. */
  readonly used: string[];
  readonly logged: string[];
  readonly state: () => Promise<unknown>;
  readonly metric: (name: string) => Promise<number>;
  readonly stop: () => Promise<void>;
}

const assertAddress = (subgraphs: readonly { url: string }[]): void => {
  if (subgraphs.some(({ url }) => url.includes('unusable'))) throw new Error('no usable address');
};

/** Loads the supergraph and applies its changes, as a gateway does. */
async function open(
  urls: readonly string[] = [registry.url],
  { copies = folder, headersFile }: { copies?: string; headersFile?: string } = {},
): Promise<Opened> {
  const logged: string[] = [];
  const log = createLogger('gateway', 'debug', { write: (line) => void logged.push(line) });
  const health = createHealth();
  const metrics = createMetrics('test');
  const created = createUrlRegistry({
    urls,
    headers: new Map([['x-hive-cdn-key', 'hush-1']]),
    headersFile,
    pollMs: 10,
    log,
  });
  const source = await loadFromRegistry({
    registry: created,
    copy: createKeptCopy(copies || undefined, created.addresses, log),
    assertUsable: ({ subgraphs }) => assertAddress(subgraphs),
    health,
    metrics,
    log,
    startWaitMs: 1,
  });
  const used = [nameOf(source.supergraph.sdl)];
  const started = source.start(({ sdl, subgraphs }) => {
    assertAddress(subgraphs);
    used.push(nameOf(sdl));
  });
  running.push(started);
  return {
    used,
    logged,
    state: async () => (await health.report()).parts['supergraph'],
    metric: async (name) => {
      const { body } = await metrics.render();
      const line = body.split('\n').find((one) => one.startsWith(name));
      return Number(line?.split(' ').at(-1) ?? 0);
    },
    stop: async () => {
      running.splice(running.indexOf(started), 1);
      await started.stop();
    },
  };
}

/** Resolves after the gateway has read the registry twice from now on. */
async function polled(): Promise<void> {
  const before = registry.requests.length;
  await vi.waitFor(() => expect(registry.requests.length).toBeGreaterThan(before + 2), {
    timeout: 5_000,
    interval: 5,
  });
}

const statuses = (): number[] => registry.requests.map(({ status }) => status());

async function degraded({ state }: Opened, reason: string): Promise<void> {
  const expected = { state: 'degraded', reason: expect.stringContaining(reason) };
  await vi.waitFor(async () => expect(await state()).toEqual(expected), { timeout: 5_000 });
}

async function copyPath(): Promise<string> {
  const names = await readdir(folder);
  return join(folder, names.find((name) => name.endsWith('.graphql')) ?? 'none');
}

describe('a running gateway', () => {
  it('applies a changed supergraph, and downloads each text once', async () => {
    const opened = await open();
    await polled();
    registry.publish(NEW);
    await vi.waitFor(() => expect(opened.used).toEqual(['OLD', 'NEW']));
    await polled();
    expect(statuses().filter((status) => status === 200)).toHaveLength(2);
    expect(new Set(statuses())).toEqual(new Set([200, 304]));
    expect(await opened.state()).toEqual({ state: 'ok' });
    expect(await opened.metric('gateway_supergraph_changes_total')).toBe(1);
    expect(await opened.metric('gateway_supergraph_outdated')).toBe(0);
  });

  it('compares the text if the server sends no entity tag', async () => {
    let sdl = OLD;
    registry.answer((_request, response) => response.end(sdl));
    const opened = await open();
    await polled();
    sdl = NEW;
    await vi.waitFor(() => expect(opened.used).toEqual(['OLD', 'NEW']));
    sdl = BROKEN;
    await degraded(opened, 'cannot be used');
    await polled();
    expect(opened.used).toHaveLength(2);
    expect(opened.logged.filter((line) => line.includes('cannot be used'))).toHaveLength(1);
    expect(registry.requests.every(({ headers }) => !('if-none-match' in headers))).toBe(true);
  });

  it.each([
    ['no supergraph', BROKEN, 'cannot be used'],
    ['not GraphQL', 'type {', 'line 1'],
    ['empty', '', 'cannot be used'],
    ['a supergraph that the gateway cannot use', UNUSABLE, 'no usable address'],
  ])('keeps the supergraph while the published text is %s', async (_what, text, reason) => {
    const opened = await open();
    registry.publish(text);
    await degraded(opened, reason);
    await polled();
    expect(opened.used).toEqual(['OLD']);
    expect(await opened.metric('gateway_supergraph_changes_total')).toBe(1);
    expect(await opened.metric('gateway_supergraph_outdated')).toBe(1);
    expect(statuses().filter((status) => status === 200)).toHaveLength(2);
    registry.publish(OLD);
    await vi.waitFor(async () => expect(await opened.state()).toEqual({ state: 'ok' }));
    registry.publish(NEW);
    await vi.waitFor(() => expect(opened.used).toEqual(['OLD', 'NEW']));
  });

  it('reports an unavailable registry, and applies what it publishes after its return', async () => {
    const opened = await open();
    await registry.stop();
    await degraded(opened, 'ECONNREFUSED');
    registry.publish(NEW);
    await registry.restart();
    await vi.waitFor(() => expect(opened.used).toEqual(['OLD', 'NEW']), { timeout: 5_000 });
    expect(await opened.state()).toEqual({ state: 'ok' });
    const lines = opened.logged.filter((line) => line.includes('ECONNREFUSED'));
    expect(lines).toHaveLength(1);
    expect(opened.logged.join()).toContain('answers again');
  });

  it('reports a refused supergraph again after an outage', async () => {
    const opened = await open();
    registry.publish(BROKEN);
    await degraded(opened, 'cannot be used');
    registry.answer((_request, response) => response.writeHead(503).end());
    await degraded(opened, 'answered 503');
    registry.answer();
    await vi.waitFor(
      async () =>
        expect(await opened.state()).toMatchObject({ reason: expect.not.stringContaining('503') }),
      { timeout: 5_000 },
    );
    await degraded(opened, 'cannot be used');
  });

  it('stops at once while the registry does not answer', async () => {
    registry.answer((request, response) => {
      if (!request.headers['if-none-match']) response.end(OLD);
    });
    const first = await startToyRegistry(OLD);
    const opened = await open([first.url]);
    first.answer(() => {});
    const before = first.requests.length;
    await vi.waitFor(() => expect(first.requests.length).toBeGreaterThan(before));
    await opened.stop();
    expect(opened.logged.join()).not.toContain('did not answer');
    await first.stop();
  });

  it('uses the next address while the first one does not answer', async () => {
    const mirror = await startToyRegistry(OLD);
    const opened = await open([registry.url, mirror.url]);
    expect(mirror.requests).toHaveLength(0);
    registry.answer((_request, response) => response.writeHead(503).end());
    mirror.publish(NEW);
    await vi.waitFor(() => expect(opened.used).toEqual(['OLD', 'NEW']), { timeout: 5_000 });
    expect(mirror.requests[0]?.headers).not.toHaveProperty('if-none-match');
    expect(await opened.state()).toEqual({ state: 'ok' });
    expect(opened.logged.join()).toContain('answered 503');
    await mirror.stop();
  });

  it('reads the file with headers before each request', async () => {
    const headersFile = join(folder, 'headers');
    await writeFile(headersFile, 'Authorization: Bearer hush-2\n');
    const opened = await open([registry.url], { headersFile, copies: '' });
    await writeFile(headersFile, 'Authorization: Bearer hush-3\n');
    await vi.waitFor(() =>
      expect(registry.requests.at(-1)?.headers).toMatchObject({
        authorization: 'Bearer hush-3',
        'x-hive-cdn-key': 'hush-1',
      }),
    );
    await writeFile(headersFile, 'hush-4');
    await degraded(opened, 'is invalid: line 1 is no header');
    await rm(headersFile);
    await degraded(opened, 'cannot be read');
    expect(opened.logged.join()).not.toContain('hush');
  });
});

describe('a start', () => {
  it('downloads nothing if the copy is the published supergraph', async () => {
    await (await open()).stop();
    const opened = await open();
    expect(opened.used).toEqual(['OLD']);
    expect(statuses().slice(0, 2)).toEqual([200, 304]);
    expect(registry.requests[1]?.headers['if-none-match']).toBeDefined();
    expect(await opened.state()).toEqual({ state: 'ok' });
  });

  it('uses the copy while the registry is unavailable', async () => {
    await (await open()).stop();
    await registry.stop();
    const opened = await open();
    expect(opened.used).toEqual(['OLD']);
    await degraded(opened, 'ECONNREFUSED');
    expect(opened.logged[0]).toMatch(/the copy of 20\S+Z is in use/);
    registry.publish(NEW);
    await registry.restart();
    await vi.waitFor(() => expect(opened.used).toEqual(['OLD', 'NEW']), { timeout: 5_000 });
    expect(await opened.state()).toEqual({ state: 'ok' });
  });

  it.each([
    ['is no supergraph', BROKEN],
    ['names a subgraph without a usable address', UNUSABLE],
  ])('uses the copy while the published supergraph %s', async (_what, text) => {
    await (await open()).stop();
    registry.publish(text);
    for (let start = 0; start < 2; start += 1) {
      const opened = await open();
      expect(opened.used).toEqual(['OLD']);
      expect(await opened.state()).toMatchObject({ state: 'degraded' });
      await opened.stop();
    }
    registry.publish(NEW);
    expect((await open()).used).toEqual(['NEW']);
  });

  it('has the newest good supergraph in its copy', async () => {
    const opened = await open();
    registry.publish(NEW);
    await vi.waitFor(() => expect(opened.used).toHaveLength(2));
    registry.publish(BROKEN);
    await degraded(opened, 'cannot be used');
    await opened.stop();
    await registry.stop();
    expect((await open()).used).toEqual(['NEW']);
  });

  it.each([
    ['cut off', (text: string) => text.slice(0, -100)],
    ['changed', (text: string) => text.replace('127.0.0.1', '127.0.0.2')],
    ['without its first line', (text: string) => text.slice(text.indexOf('\n') + 1)],
    ['no JSON in its first line', (text: string) => text.replace('{"', '{')],
    ['null in its first line', (text: string) => text.replace(/\{"saved.*/, 'null')],
    ['empty', () => ''],
  ])('does not use a copy that is %s', async (_what, harm) => {
    await (await open()).stop();
    const path = await copyPath();
    await writeFile(path, harm(await readFile(path, 'utf8')));
    const opened = await open();
    expect(opened.logged.join()).toContain('damaged');
    expect(registry.requests.at(-1)?.headers).not.toHaveProperty('if-none-match');
    expect(opened.used).toEqual(['OLD']);
  });

  it('uses the copy after a change of the password, and does not download it again', async () => {
    const withPassword = (password: string) => registry.url.replace('//', `//user:${password}@`);
    await (await open([withPassword('hush-a')])).stop();
    await (await open([withPassword('hush-b')])).stop();
    expect(statuses().slice(0, 2)).toEqual([200, 304]);
    expect(await readdir(folder)).toHaveLength(1);
  });

  it('does not use a copy of another address', async () => {
    await (await open([`${registry.url}?variant=a`])).stop();
    await registry.stop();
    await expect(open([`${registry.url}?variant=b`])).rejects.toThrow('there is no copy');
  });

  it('retries without a copy, and then says what to do', async () => {
    let failures = 2;
    registry.answer((_request, response) => {
      failures -= 1;
      response.writeHead(failures < 0 ? 200 : 503).end(OLD);
    });
    await (await open([registry.url], { copies: '' })).stop();
    registry.answer((_request, response) => response.writeHead(503).end());
    await expect(open([registry.url], { copies: '' })).rejects.toThrow(
      `The supergraph cannot be loaded: ${registry.url} answered 503, and no copy of it is kept; check the server`,
    );
  });

  it.each([
    [403, 'check the credentials in SUPERGRAPH_HEADERS'],
    [404, 'check the address in SUPERGRAPH'],
  ])('fails at once without a copy if the registry answers %i', async (status, advice) => {
    registry.answer((_request, response) => response.writeHead(status).end());
    await expect(open()).rejects.toThrow(advice);
    expect(registry.requests).toHaveLength(1);
  });

  it('fails without a copy if the published supergraph cannot be used', async () => {
    registry.publish(BROKEN);
    await expect(open()).rejects.toThrow(/^The supergraph http.* cannot be used: /);
    registry.publish(UNUSABLE);
    await expect(open()).rejects.toThrow('no usable address');
  });

  it('works without a copy if the folder cannot be written, and warns once', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    const opened = await open([registry.url], { copies: join(file, 'copies') });
    registry.publish(NEW);
    await vi.waitFor(() => expect(opened.used).toEqual(['OLD', 'NEW']));
    await opened.stop();
    expect(opened.logged.filter((line) => line.includes('SUPERGRAPH_COPIES'))).toHaveLength(1);
  });
});

it('writes no credentials to logs, states and copies, and keeps copies private', async () => {
  const address = registry.url.replace('//', '//user:hush-5@');
  const opened = await open([`${address}?signature=hush-6`]);
  registry.publish(BROKEN);
  await degraded(opened, 'cannot be used');
  registry.answer((_request, response) => response.writeHead(401).end('hush-7'));
  await degraded(opened, 'answered 401');
  const path = await copyPath();
  const shown = [
    ...opened.logged,
    JSON.stringify(await opened.state()),
    await readFile(path, 'utf8'),
  ];
  expect(shown.join()).not.toContain('hush');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(folder)).toHaveLength(1);
});

describe('any sequence of publications, outages and restarts', () => {
  const isGood = (name: string) => name === 'OLD' || name === 'NEW';
  const step = fc.constantFrom(
    'OLD',
    'NEW',
    'BROKEN',
    'UNUSABLE',
    'down',
    'up',
    'restart' as const,
  );

  it('uses the last good supergraph that was readable', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 8 }), async (steps) => {
        registry.publish(OLD);
        let opened = await open();
        const model = { published: 'OLD', isUp: true, used: 'OLD' };
        for (const one of steps) {
          if (one in TEXTS) {
            model.published = one;
            registry.publish(TEXTS[one as keyof typeof TEXTS]);
          }
          if (one === 'down') registry.answer((_, response) => response.writeHead(404).end());
          if (one === 'up') registry.answer();
          if (one === 'down' || one === 'up') model.isUp = one === 'up';
          if (one === 'restart') {
            await opened.stop();
            opened = await open();
          }
          if (model.isUp && isGood(model.published)) model.used = model.published;
          const isOk = model.isUp && isGood(model.published);
          await vi.waitFor(
            async () => {
              expect(opened.used.at(-1)).toBe(model.used);
              expect(await opened.state()).toMatchObject({ state: isOk ? 'ok' : 'degraded' });
            },
            { timeout: 10_000, interval: 5 },
          );
        }
        await opened.stop();
        registry.answer();
        await rm(await copyPath());
      }),
      { numRuns: 6, seed: 20 },
    );
  });
});
