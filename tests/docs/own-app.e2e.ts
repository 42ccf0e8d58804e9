import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@gudang/embedded';
import { type RunningBrowser, startBrowser } from '@gudang/testing/chromium';
import { createShopClient } from '@gudang/testing/clients/shop-client';
import { eventually } from '@gudang/testing/eventually';
import { useSystem } from '@gudang/testing/system/use-system';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { repository } from './snippets.ts';

const FILES = ['index.html', 'vite.config.js', 'app.js'];

const system = useSystem();
let folder: string;
let browser: RunningBrowser;
let end = (): void => {};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gudang-own-app-'));
  await cp(join(repository, 'tests/clients/own-app'), folder, { recursive: true });
  await symlink(join(repository, 'node_modules'), join(folder, 'node_modules'));
  const config = join(folder, 'vite.config.js');
  const text = await readFile(config, 'utf8');
  await writeFile(config, text.replace('http://localhost:4000', system().gateway.url));
  browser = await startBrowser();
});
afterAll(async () => {
  end();
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

test('the app of the guide shows a live list and has fewer than 40 lines of code', async () => {
  const files = await Promise.all(FILES.map((name) => readFile(join(folder, name), 'utf8')));
  expect(files.join('').trimEnd().split('\n').length).toBeLessThan(40);

  const { graph, gateway } = system();
  const shop = createShopClient(graph);
  const { id } = await shop.addStock({ name: 'Kopi', quantity: 100 });
  const port = String(await freePort());
  const vite = spawn(
    process.execPath,
    [join(repository, 'node_modules/vite/bin/vite.js'), '--port', port, '--host', '127.0.0.1'],
    { cwd: folder, stdio: 'ignore', env: { ...process.env, NODE_ENV: 'development' } },
  );
  end = () => vite.kill();
  const address = `http://127.0.0.1:${port}/`;
  await eventually(
    () => fetch(address),
    ({ ok }) => ok,
    { until: 'vite serves the app' },
  );

  const { page, problems } = await browser.open();
  await page.goto(address);
  const shows = (text: string) => page.getByText(text, { exact: true }).waitFor();
  await shows('Kopi: 100');
  await shop.createOrder({ productId: id, quantity: 10 });
  await shows('Kopi: 90');

  // A stock changes while the gateway is down. The list must resume from its cursor.
  gateway.kill('SIGKILL');
  await gateway.exited;
  const body = JSON.stringify({ name: 'Kopi', quantity: 7 });
  const headers = { 'content-type': 'application/json' };
  await fetch(`${system().stock.url}/stock/update/${id}`, { method: 'PUT', headers, body });
  await gateway.restart();
  await shows('Kopi: 7');
  await shop.deleteStock(id);
  await page.getByText('Kopi: 7').waitFor({ state: 'detached' });
  expect(problems).toEqual([]);
});
