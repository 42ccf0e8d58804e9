import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { authorizationOf, type CallerName, SECURED } from '@gudang/testing/clients/callers';
import { dataOf, graphAt } from '@gudang/testing/clients/graph-client';
import { createShopClient } from '@gudang/testing/clients/shop-client';
import { eventually } from '@gudang/testing/eventually';
import { createRandom } from '@gudang/testing/random';
import { runScript } from '@gudang/testing/system/run-script';
import { useSystem } from '@gudang/testing/system/use-system';
import { afterAll, beforeAll, expect, test } from 'vitest';

const script = fileURLToPath(new URL('../../packages/stock-files/dist/main.js', import.meta.url));
const system = useSystem({ environment: { all: SECURED } });
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stock-files-'));
});
afterAll(() => rm(folder, { recursive: true }));

const SITI: CallerName = 'Siti with scopes';
const environment = async (caller: CallerName = SITI) => {
  const token = (await authorizationOf(caller))?.replace('Bearer ', '');
  return { GATEWAY_URL: `${system().gateway.url}/graphql`, INIT_CWD: folder, GUDANG_TOKEN: token };
};
const runAs = async (caller: CallerName, ...args: readonly string[]) =>
  runScript(script, await environment(caller), { args });
const run = (...args: readonly string[]) => runAs(SITI, ...args);
const graphOf = async () => graphAt(`${system().gateway.url}/graphql`, await authorizationOf(SITI));
const write = (name: string, lines: readonly string[]) =>
  writeFile(join(folder, name), `${lines.join('\n')}\n`);
const read = (name: string) => readFile(join(folder, name), 'utf8');

test('creates, sets and adjusts stocks, and exports them', async () => {
  await write('new.csv', ['id,name,quantity', 'a,"Kopi, Gayo",5', 'b,Teh,7', 'b,Teh,8', 'c,,1']);
  const created = await run('import', 'new.csv', '--mode', 'create');
  expect(created).toMatchObject({ code: 1, stdout: '' });
  expect(created.stderr).toMatch(
    /^Run \d{8}T\d{6}Z-500-[0-9a-f]{8}: 4 rows\nApplied: 2 of 4 rows\. Refused: 2/,
  );
  const refused = (await read('new.csv.refused.csv')).split('\n');
  expect(refused[0]).toBe('id,name,quantity,row,code,message');
  expect(refused[1]).toMatch(/^b,Teh,8,3,ALREADY_EXISTS,/);
  expect(refused[2]).toBe('c,,1,4,UNREADABLE,name is missing');

  await write('set.ndjson', [
    '{"id":"a","quantity":6,"reason":"count"}',
    '{"id":"x","quantity":1}',
  ]);
  expect(await run('import', 'set.ndjson', '--mode', 'set')).toMatchObject({ code: 1 });
  expect(JSON.parse(await read('set.ndjson.refused.ndjson'))).toMatchObject({
    ...{ id: 'x', row: 2, code: 'NOT_FOUND' },
  });
  await write('adjust.csv', ['id;delta;reason', 'a;-2;broken', 'b;-8;too many', 'b;1;']);
  expect(await run('import', 'adjust.csv', '--mode', 'adjust')).toMatchObject({ code: 1 });
  expect(await read('adjust.csv.refused.csv')).toMatch(/\nb,-8,too many,2,BAD_USER_INPUT,/);

  const { stock } = await dataOf(
    (await graphOf())('{ stock(id: "a") { movements { nodes { by reason delta } } } }'),
  );
  expect(stock.movements.nodes).toEqual([
    { by: 'Siti', reason: 'broken', delta: -2 },
    { by: 'Siti', reason: 'count', delta: 1 },
    { by: 'Siti', reason: null, delta: 5 },
  ]);

  expect(await runAs('anonymous', 'export', 'all.csv')).toMatchObject({
    code: 0,
    stderr: 'Exported: 2 stocks.\n',
  });
  const lines = (await read('all.csv')).split('\n');
  expect(lines[0]).toBe('id,name,quantity,version,createdAt,updatedAt');
  expect(
    lines
      .slice(1)
      .map((line) => line.replace(/,\d+,20.*$/, ''))
      .toSorted(),
  ).toEqual(['', 'a,"Kopi, Gayo",4', 'b,Teh,8']);
  const { stdout } = await run('export', '--format', 'ndjson');
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).id)
      .toSorted(),
  ).toEqual(['a', 'b']);
});

test('reaches the same state and report if it is killed repeatedly', async () => {
  const shop = createShopClient(await graphOf());
  const random = createRandom(18);
  const ids = Array.from({ length: 20 }, (_, index) => `killed-${index}`);
  for (const id of ids) await shop.addStock({ id, quantity: 1_000_000 });
  const rows = Array.from({ length: 2_000 }, (_, index) => ({
    // Each 100th row is refused.
    id: index % 100 === 99 ? 'missing' : random.pick(ids),
    delta: random.between(1, 9) * (random.chance(0.5) ? 1 : -1),
  }));
  await write('moves.csv', ['id,delta', ...rows.map(({ id, delta }) => `${id},${delta}`)]);

  const args = ['import', 'moves.csv', '--mode', 'adjust', '--batch', '50'];
  const doneRows = async (): Promise<number> =>
    JSON.parse(await read('moves.csv.import.json')).doneRows;
  for (const kill of [50, 500, 1_200]) {
    const child = spawn(process.execPath, [script, ...args], {
      env: { PATH: process.env['PATH'], ...(await environment()) },
      stdio: 'ignore',
    });
    const closed = new Promise((resolve) => child.once('close', resolve));
    await eventually(doneRows, (done) => done >= kill, { every: 2 });
    child.kill('SIGKILL');
    await closed;
  }
  const before = await doneRows();
  expect(await runAs('Budi with scopes', ...args)).toMatchObject({
    ...{ code: 1, stderr: expect.stringContaining('has the subject "Siti"') },
  });
  const last = await run(...args);
  expect(before, 'it was killed before its end').toBeLessThan(rows.length);
  expect(last.stderr).toContain(`resumed after row ${before}`);
  expect(last.stderr).toContain('Applied: 1980 of 2000 rows. Refused: 20');

  for (const id of ids) {
    const deltas = rows.filter((row) => row.id === id).map(({ delta }) => delta);
    const quantity = deltas.reduce((sum, delta) => sum + delta, 1_000_000);
    expect(await shop.stock(id)).toMatchObject({ quantity, version: 1 + deltas.length });
  }
  const reported = (await read('moves.csv.refused.csv')).trim().split('\n').slice(1);
  expect(reported.map((line) => Number(line.split(',')[2]))).toEqual(
    Array.from({ length: 20 }, (_, index) => 100 * (index + 1)),
  );
  expect(await run(...args)).toMatchObject({
    stderr: expect.stringContaining('has imported this file. Nothing to do'),
  });
});

test('names the problem of a wrong command, a missing file, a missing right and a wrong address', async () => {
  const wrong = await run('import', 'new.csv');
  expect(wrong).toMatchObject({ code: 2 });
  expect(wrong.stderr).toMatch(/^--mode must be create, set or adjust\n\nUsage: npm run stocks/);
  expect(await run('import', 'none.csv', '--mode', 'set')).toMatchObject({
    ...{ code: 1, stderr: expect.stringContaining('none.csv cannot be read: ENOENT') },
  });
  await write('rights.csv', ['id,quantity', 'a,1']);
  const rights = ['import', 'rights.csv', '--mode', 'set'];
  for (const [caller, message] of [
    ['anonymous', 'Set GUDANG_TOKEN to a valid token'],
    ['expired', 'Set GUDANG_TOKEN to a valid token'],
    ['Siti without scopes', 'stock:write'],
  ] as const) {
    const refused = await runAs(caller, ...rights);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining(message) });
  }
  expect(await run(...rights)).toMatchObject({ code: 0 });
  const args = ['export'];
  const other = await runScript(
    script,
    { GATEWAY_URL: `${system().gateway.url}/healthz` },
    { args },
  );
  expect(other).toMatchObject({ code: 1, stderr: expect.stringContaining('check GATEWAY_URL') });
});
