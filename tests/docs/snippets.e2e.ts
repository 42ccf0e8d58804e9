import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { createShopClient } from '@gudang/testing/clients/shop-client';
import { useSystem } from '@gudang/testing/system/use-system';
import { beforeAll, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { isSchema, notIn, runOperation } from './run-graphql.ts';
import { checkShell, runShell } from './run-shell.ts';
import { findPages, readSnippets, repository, type Snippet } from './snippets.ts';

const EXAMPLES = ['tests/clients/examples', 'packages/client/examples'];
const TESTS_OF_EXAMPLES = ['tests/clients/clients.e2e.ts'];
/** tests/guides runs the commands of these pages and compares their files. */
const GUIDE = /^docs\/guides\/[^/]+\//;
/** tests/gateway-package runs the commands of this page. */
const RUN_ELSEWHERE = 'gateway/README.md';
const SCHEMAS = ['stock-subgraph/schema.graphql', 'gateway/example/products.graphql'];
const CODE = new Set(['ts', 'js', 'html', 'bash']);

const system = useSystem();
beforeAll(async () => {
  await createShopClient(system().graph).addStock({ id: 'kopi-gayo', quantity: 1_000 });
});

const pages = (await findPages()).filter((page) => !GUIDE.test(page));
const snippets = (await Promise.all(pages.map(readSnippets))).flat();
const textOf = (path: string) => readFile(join(repository, path), 'utf8');

/** Contents of the example files, by file name. */
const examples = new Map<string, string>();
for (const directory of EXAMPLES) {
  for (const name of await readdir(join(repository, directory))) {
    examples.set(name, (await textOf(`${directory}/${name}`)).trimEnd());
  }
}

async function check({ location, language, text }: Snippet): Promise<void> {
  if (language === 'js' && location.startsWith('gateway/docs/plugins/')) {
    // Parts of a plugin; the plugins beside the page are tested.
    new Script(text);
  } else if (CODE.has(language)) {
    expect([...examples.values()], 'the snippet equals an example file').toContain(text);
  } else if (language === 'graphql' && isSchema(text)) {
    const missing = await Promise.all(SCHEMAS.map(async (path) => notIn(text, await textOf(path))));
    expect(missing.reduce((all, one) => all.filter((name) => one.includes(name)))).toEqual([]);
  } else if (language === 'graphql') {
    await runOperation(text, system());
  } else if (language === 'sh' && location.startsWith(RUN_ELSEWHERE)) {
    expect(await textOf('tests/gateway-package/package.e2e.ts')).toContain(RUN_ELSEWHERE);
  } else if (language === 'sh') {
    const { gateway, order, stock } = system();
    await runShell(text, {
      'http://localhost:4000': gateway.url,
      'http://localhost:8000': order.url,
      'http://localhost:8001': stock.url,
    });
  } else if (language === 'shell') {
    await checkShell(text);
  } else if (language === 'http') {
    expect(text).toMatch(/^content-type: /m);
  } else if (language === 'json') {
    JSON.parse(text);
  } else if (language === 'yaml') {
    expect(parseAllDocuments(text).flatMap(({ errors }) => errors)).toEqual([]);
  } else {
    // Only a diagram may omit the language of its block.
    expect(language).toBe('');
    expect(text).toMatch(/[─│└┌├]/);
  }
}

test.each(snippets.map((snippet) => [snippet.location, snippet] as const))(
  'the snippet %s works',
  (_location, snippet) => check(snippet),
);

test('the tests import or run every example file of the documentation', async () => {
  expect(snippets.length).toBeGreaterThan(10);
  const tests = (await Promise.all(TESTS_OF_EXAMPLES.map(textOf))).join();
  const shared = [...examples.values()].join();
  for (const name of examples.keys()) {
    expect(`${tests}${shared}`, `${name} is imported or run`).toContain(name);
  }
});
