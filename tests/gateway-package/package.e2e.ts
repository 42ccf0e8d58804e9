import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { promisify } from 'node:util';
import { createAuthority, createCertificate } from '@gudang/embedded/certificates-testing';
import { eventually } from '@gudang/testing/eventually';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSnippets, repository } from '../docs/snippets.ts';
import { type GuideProcess, readerEnvironment, runInGuide } from '../guides/guide-process.ts';
import { startHttpsGraph } from './https-graph.ts';
import { type PackedGateway, packGateway } from './packed-gateway.ts';
import { SHOP_WORDS } from './shop-words.ts';

const run = promisify(execFile);
/** The address in the README, which the tests replace by that of the gateway. */
const DOCUMENTED = 'http://localhost:4000';

let packed: PackedGateway;
let snippets: string[];
const running: GuideProcess[] = [];
const installed = (path: string) => join(packed.folder, 'node_modules/@gudang/gateway', path);
const textOf = (path: string) => readFile(installed(path), 'utf8');

beforeAll(async () => {
  packed = await packGateway();
  const all = await readSnippets('gateway/README.md');
  snippets = all.filter(({ language }) => language === 'sh').map(({ text }) => text);
  await shell(snippets[0] ?? '');
});
afterAll(async () => {
  await Promise.all(running.map(({ stop }) => stop()));
  await packed?.remove();
});

/** Runs commands that end, in the folder of the package. @returns their output */
async function shell(commands: string): Promise<string> {
  const { stdout } = await run('sh', ['-ec', commands], {
    cwd: packed.folder,
    env: { ...readerEnvironment(), npm_config_prefer_offline: 'true' },
  });
  return stdout;
}

function start(command: string, environment: Record<string, string> = {}): GuideProcess {
  const started = runInGuide(command, packed.folder, environment);
  running.push(started);
  return started;
}

/** Lets a command write to a terminal, as a reader's: its log lines are then readable instead of JSON. */
function inTerminal(command: string): string {
  return existsSync('/usr/bin/script') ? `script -qefc '${command}' /dev/null` : command;
}

/** Resolves with the address that a server prints when it listens. */
async function addressOf({ command, lines, ended }: GuideProcess): Promise<string> {
  const printed = eventually(
    () => /http:\/\/127\.0\.0\.1:\d+/.exec(lines.join('\n').split('listening on ').at(-1) ?? ''),
    (found) => found !== null && /listening on|served at/.test(lines.join('\n')),
    { until: `${command} prints its address`, within: 60_000 },
  );
  return String(await Promise.race([printed, ended.then(() => printed)]));
}

/** Resolves with the data of the events that a stream over server-sent events has sent. */
function eventsOf({ lines }: GuideProcess, count: number): Promise<unknown[]> {
  return eventually(
    () =>
      lines
        .filter((line) => line.startsWith('data: {'))
        .map((line) => JSON.parse(line.slice('data: '.length)).data?.priceChanged),
    (events) => events.length === count,
    { until: `${count} events arrive` },
  );
}

describe('the README, in an empty folder', () => {
  it('starts the gateway over two subgraphs, queries it, and resumes a live stream', async () => {
    const [, servers = '', query = '', stream = '', mutation = '', resumed = ''] = snippets;
    const [first = '', second = '', third = ''] = servers.split('\n');
    const [products, reviews] = await Promise.all(
      [start(first, { PRODUCTS_PORT: '0' }), start(second, { REVIEWS_PORT: '0' })].map(addressOf),
    );
    const gateway = await addressOf(
      start(inTerminal(third), {
        PORT: '0',
        SUBGRAPH_URLS: `products=${products}/graphql,reviews=${reviews}/graphql`,
      }),
    );
    const here = (command: string) => command.replaceAll(DOCUMENTED, gateway);

    expect(JSON.parse(await shell(here(query)))).toEqual({
      data: {
        products: [
          { name: 'Lamp', price: 40, rating: 4.5 },
          { name: 'Chair', price: 120, rating: 3 },
        ],
      },
    });

    const follower = start(here(stream));
    await eventually(
      () => shell(`curl -s ${gateway}/metrics`),
      (text) => /gateway_live_upstreams\S* 1\b/.test(text),
      { until: 'the stream is subscribed' },
    );
    expect(JSON.parse(await shell(here(mutation)))).toEqual({ data: { setPrice: { price: 35 } } });
    const changed = { cursor: '1', product: { name: 'Lamp', price: 35, rating: 4.5 } };
    expect(await eventsOf(follower, 1)).toEqual([changed]);
    await follower.stop();
    await shell(here(mutation).replace('price: 35', 'price: 36'));
    expect(await eventsOf(start(here(resumed)), 2)).toEqual([
      changed,
      { cursor: '2', product: { ...changed.product, price: 36 } },
    ]);

    const page = await fetch(`${gateway}/`);
    expect([page.status, page.url]).toEqual([200, `${gateway}/graphiql`]);
    const [, script] = /src="(\/pages\/[^"]+\.js)"/.exec(await page.text()) ?? [];
    expect((await fetch(`${gateway}${script}`)).status).toBe(200);
  });
});

describe('the package', () => {
  it('contains the bundle, explorers, documentation and licenses, and no tests or source maps', () => {
    const { files } = packed;
    for (const file of ['dist/cli.js', 'dist/THIRD_PARTY_LICENSES.txt', 'LICENSE', 'README.md']) {
      expect(files).toContain(file);
    }
    expect(files).toContain('dist/pages/graphiql.html');
    expect(files).toContain('docs/configuration.md');
    const unwanted = /\.test\.|\.int\.|\.map$|tsbuildinfo|^src|^supergraph|live|index\.html/;
    expect(files.filter((file) => unwanted.test(file))).toEqual(['docs/live-protocol.md']);
  });

  it('needs no other package', async () => {
    const manifest = JSON.parse(await textOf('package.json'));
    expect(manifest).not.toHaveProperty('dependencies');
    expect(manifest).not.toHaveProperty('peerDependencies');
  });

  it('contains no words of the shop', async () => {
    const found: string[] = [];
    for (const file of packed.files.filter((name) => !/\.(?:gz|ttf)$/.test(name))) {
      const [word] = SHOP_WORDS.exec(await textOf(file)) ?? [];
      if (word !== undefined) found.push(`${file}: ${word}`);
    }
    expect(found).toEqual([]);
  });

  it('names the licenses of everything that it contains', async () => {
    const { license } = JSON.parse(await textOf('package.json'));
    const texts = await textOf('dist/THIRD_PARTY_LICENSES.txt');
    const packages = [...texts.matchAll(/^(@?[\w./-]+) \d\S* \((.+)\)$/gm)];
    const licenses = packages.flatMap(([, , name = '']) =>
      name.replace(/[()]/g, '').split(' AND '),
    );
    expect(license.split(' AND ').sort()).toEqual([...new Set(licenses)].sort());
    for (const name of ['@apollo/query-planner', 'fastify', 'graphql', 'ws', 'react']) {
      expect(packages.map(([, found]) => found)).toContain(name);
    }
    expect(texts).toContain('Elastic License 2.0');
    expect(await textOf('LICENSE')).toBe(await readFile(join(repository, 'LICENSE'), 'utf8'));
  });

  it('has no link to a file outside of it', async () => {
    const pages = packed.files.filter((file) => file.endsWith('.md'));
    expect(pages.length).toBeGreaterThan(5);
    const outside: string[] = [];
    for (const page of pages) {
      for (const [, link = ''] of (await textOf(page)).matchAll(/\]\(([^)\s#]+)[^)]*\)/g)) {
        if (/^[a-z]+:/.test(link)) continue;
        const target = normalize(join(dirname(page), link));
        if (!existsSync(installed(target))) outside.push(`${page}: ${link}`);
      }
    }
    expect(outside).toEqual([]);
  });

  it('starts no gateway without a usable supergraph, and says why', async () => {
    const cases: readonly [args: readonly string[], output: RegExp][] = [
      [[], /^No supergraph is given/],
      [['--supergraph', 'example/products.graphql'], /^The supergraph .* cannot be used/],
    ];
    const program = join(packed.folder, 'node_modules/.bin/gudang-gateway');
    const env = { ...readerEnvironment(), LOG_LEVEL: 'silent', PORT: '0' };
    await Promise.all(
      cases.map(async ([args, output]) => {
        const answer = await run(program, args, { cwd: packed.folder, env }).catch(
          (error) => error,
        );
        expect(`${answer.stdout}${answer.stderr}`).toMatch(output);
        expect(answer.code).toBe(1);
      }),
    );
  });
});

describe('a registry and a subgraph with certificates of an own authority', () => {
  it('are used if NODE_EXTRA_CA_CERTS names the authority, and refused otherwise', async () => {
    const authority = await createAuthority('Registry');
    const certificate = await createCertificate(authority);
    const sdl = await readFile(join(repository, 'gateway/example/supergraph.graphql'), 'utf8');
    const graph = await startHttpsGraph(certificate, sdl, { products: [{ name: 'Lamp' }] });
    try {
      const environment = {
        PORT: '0',
        SUPERGRAPH: `${graph.url}/supergraph.graphql`,
        SUBGRAPH_URLS: `products=${graph.url}/graphql`,
      };
      const refused = start('npx gudang-gateway', environment);
      await expect(refused.ended).rejects.toThrow(
        /certificate that is not trusted.*NODE_EXTRA_CA_CERTS/,
      );
      expect(graph.requests()).toEqual([]);

      const ca = join(packed.folder, 'registry-ca.pem');
      await writeFile(ca, authority.cert);
      const trusting = { ...environment, NODE_EXTRA_CA_CERTS: ca };
      const gateway = await addressOf(start('npx gudang-gateway', trusting));
      const response = await fetch(`${gateway}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: '{ products { name } }' }),
      });
      expect(await response.json()).toEqual({ data: { products: [{ name: 'Lamp' }] } });
      expect(graph.requests().slice(0, 1)).toEqual(['GET /supergraph.graphql']);
      expect(graph.requests()).toContain('POST /graphql');
    } finally {
      await graph.stop();
    }
  });
});
