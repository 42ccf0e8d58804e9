import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { authorizationOf, SECURED } from '@gudang/testing/clients/callers';
import { graphAt } from '@gudang/testing/clients/graph-client';
import { createShopClient, type ShownStock } from '@gudang/testing/clients/shop-client';
import { eventually } from '@gudang/testing/eventually';
import { useSystem } from '@gudang/testing/system/use-system';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { createDemoGraph } from './demo-graph.ts';
import { removeAbandonedProducts } from './demo-products.ts';

const system = useSystem({ environment: { all: SECURED } });
const script = fileURLToPath(new URL('demo.ts', import.meta.url));
const graphUrl = (): string => `${system().gateway.url}/graphql`;

let token: string;
/** A product of the user. The demo must not change it, although its quantity is low. */
let own: ShownStock;
const shop = () => createShopClient(graphAt(graphUrl, `Bearer ${token}`));

beforeAll(async () => {
  token = ((await authorizationOf('Siti with scopes')) ?? '').replace('Bearer ', '');
  own = await shop().addStock({ name: 'Kopi Luwak 100 g', quantity: 3 });
});

/** Runs the script of `npm run demo` against the test system's gateway. */
function startDemo(
  words: readonly string[] = [],
  env: NodeJS.ProcessEnv = { GUDANG_TOKEN: token },
) {
  const { PATH } = process.env;
  const child = spawn(process.execPath, ['--import', 'tsx', script, ...words], {
    env: { PATH, GATEWAY_URL: graphUrl(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let written = '';
  child.stdout.on('data', (chunk: Buffer) => {
    written += chunk;
  });
  const problems = text(child.stderr);
  const ended = once(child, 'close').then(async ([code]) => ({
    code: code as number,
    output: written,
    problems: await problems,
  }));
  return { stop: () => child.kill('SIGINT'), output: () => written, ended };
}

async function expectNoTraces(): Promise<void> {
  expect(await shop().stock(own.id)).toEqual(own);
  expect(
    await system().databases.stock(
      "SELECT id FROM stocks WHERE id LIKE 'demo-%' AND deleted_at IS NULL",
    ),
  ).toEqual([]);
}

test('follows one order through the whole system, and deletes its stock', async () => {
  const { code, output, problems } = await startDemo().ended;
  expect({ code, problems }).toEqual({ code: 0, problems: '' });
  expect(output).toMatch(/Order to push +\d+\.\d ms after the request/);
  expect(output).toContain('All checks passed');
  await expectNoTraces();
});

test('deletes the stocks of a demo that was killed', async () => {
  for (const [id, age] of Object.entries({ 'demo-killed-1': 11, 'demo-running-1': 9 })) {
    await shop().addStock({ id, name: 'Teh Melati 100 g (demo)', quantity: 1 });
    await system().databases.stock(
      `UPDATE stocks SET updated_at = now() - interval '${age} minutes' WHERE id = '${id}'`,
    );
  }
  const named = await shop().addStock({ id: 'demo-of-the-user', name: 'Demo', quantity: 1 });
  const graph = createDemoGraph({ GATEWAY_URL: graphUrl(), GUDANG_TOKEN: token });
  expect(await removeAbandonedProducts(graph)).toBe(1);
  expect(await shop().stock('demo-killed-1')).toBeNull();
  expect(await shop().stock('demo-running-1')).not.toBeNull();
  expect(await shop().stock(named.id)).toEqual(named);
  for (const id of ['demo-running-1', named.id]) await shop().deleteStock(id);
});

test('says what to do without a token', async () => {
  const { code, output, problems } = await startDemo([], {}).ended;
  expect({ code, output }).toEqual({ code: 1, output: '' });
  expect(problems).toMatch(
    / needs a token.*\. Set GUDANG_TOKEN, or .* scopes order:write and stock:write\n$/,
  );
});

test('--traffic reports SIGKILL of the gateway as an outage, continues afterwards, and counts orders correctly', async () => {
  const { gateway } = system();
  const demo = startDemo(['--traffic', '10'], { GUDANG_TOKEN_FILE: await tokenFile() });
  const waitForOutput = (pattern: RegExp) =>
    eventually(demo.output, (output) => pattern.test(output), {
      until: `the output matches ${pattern}`,
      within: 40_000,
    });
  await waitForOutput(/10 orders per second for \d+ stocks/);
  await waitForOutput(/[1-9]\d* confirmed/);
  gateway.kill();
  await gateway.exited;
  await waitForOutput(/The gateway is unavailable \(.+\)\. Retrying\./);
  await gateway.restart();
  await waitForOutput(/The gateway is available again/);
  demo.stop();
  const { code, output, problems } = await demo.ended;
  expect({ code, problems }).toEqual({ code: 0, problems: '' });
  const summary =
    /(\d+) orders in \d+ s: \d+ confirmed, \d+ rejected, (?:all decided|\d+ pending)(?:, (\d+) more without a response)?\n$/;
  const [, taken = 'none', unanswered = '0'] = summary.exec(output) ?? [];
  expect(Number(taken), output).toBeGreaterThan(0);
  await expectNoTraces();
  // No order was created twice: the database has at least all acknowledged orders, and at most these and
  // the unanswered ones.
  const [row] = await system().databases.order(
    'SELECT count(*)::int AS count FROM orders WHERE idempotency_key IS NOT NULL',
  );
  expect(row?.['count']).toBeGreaterThanOrEqual(Number(taken));
  expect(row?.['count']).toBeLessThanOrEqual(Number(taken) + Number(unanswered));
});

async function tokenFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'gudang-token-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'token'), `${token}\n`);
  return join(folder, 'token');
}

test('rejects an invalid rate with a readable message', async () => {
  const { code, problems } = await startDemo(['--traffic', 'much']).ended;
  expect(code).toBe(1);
  expect(problems).toMatch(/^--traffic: "much" is not a number from 1 to 500\nUsage: npm run demo/);
});
