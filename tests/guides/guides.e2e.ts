import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '@gudang/embedded';
import { type RunningBrowser, startBrowser } from '@gudang/testing/chromium';
import { graphAt } from '@gudang/testing/clients/graph-client';
import { createShopClient } from '@gudang/testing/clients/shop-client';
import { eventually } from '@gudang/testing/eventually';
import { useSystem } from '@gudang/testing/system/use-system';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addressOf, type GuideProcess, runInGuide } from './guide-process.ts';
import { type GuideWorkspace, installGuides } from './guide-workspace.ts';
import type { GuideName } from './read-guide.ts';

/** Time-out of the installation and of the builds, in ms. They take 15 s on a quiet machine with two cores. */
const BUILDS_WITHIN_MS = 300_000;
const APPS = ['react', 'javascript', 'apollo', 'urql'] as const;

const system = useSystem();
let workspace: GuideWorkspace;
let browser: RunningBrowser;
const running: GuideProcess[] = [];

beforeAll(async () => {
  [workspace, browser] = await Promise.all([
    installGuides({ gatewayUrl: system().gateway.url }),
    startBrowser(),
  ]);
}, BUILDS_WITHIN_MS);
afterAll(async () => {
  await Promise.all([browser?.close(), ...running.map(({ stop }) => stop())]);
  await workspace?.remove();
});

function start(name: GuideName, command: string, environment: Record<string, string> = {}) {
  const started = runInGuide(command, workspace.folderOf(name), environment);
  running.push(started);
  return started;
}

/** Runs the commands after the installation, as the README gives them, except those that do not end. */
async function build(name: GuideName): Promise<void> {
  const { steps } = workspace.guides.get(name) ?? { steps: [] };
  const commands = steps
    .flatMap((step) => ('command' in step ? [step.command] : []))
    .filter((command) => command.startsWith('npx ') && command !== 'npx vite')
    .map((command) => command.replace('http://localhost:4000', system().gateway.url));
  for (const command of commands) await start(name, command).ended;
}

/** Serves a built app and opens it. */
async function open(name: GuideName) {
  const port = await freePort();
  const served = start(name, `npx vite preview --host 127.0.0.1 --port ${port}`);
  const address = await addressOf(served);
  const { page, problems } = await browser.open();
  await page.goto(address);
  return { page, problems };
}

/** Resolves once the page of each app has a list item with this text. */
function allShow(pages: readonly Page[], text: string): Promise<unknown> {
  return Promise.all(
    pages.map((page) => page.getByRole('listitem').filter({ hasText: text }).waitFor()),
  );
}

/** Records what the page shows of a stock, whenever that changes. @returns a getter for all texts so far */
async function record(page: Page, name: string): Promise<() => Promise<string[]>> {
  await page.evaluate(`{
    const shown = (window.shown = []);
    const look = () => {
      const items = [...document.querySelectorAll('li')].map((item) => item.textContent);
      const text = items.filter((item) => item.startsWith(${JSON.stringify(name)})).join();
      if (text !== shown.at(-1)) shown.push(text);
    };
    look();
    const changes = { subtree: true, childList: true, characterData: true };
    new MutationObserver(look).observe(document.body, changes);
  }`);
  return () => page.evaluate('window.shown');
}

test(
  'the apps of all guides continue their lists after SIGKILL of the gateway',
  async () => {
    const { graph, gateway, stock } = system();
    const shop = createShopClient(graph);
    const atStock = createShopClient(graphAt(`${stock.url}/graphql`));
    const nameOf = (word: string) => `${word} ${randomUUID().slice(0, 8)}`;
    const [kopi, gula, teh] = [nameOf('Kopi'), nameOf('Gula'), nameOf('Teh')];
    const sold = await shop.addStock({ name: kopi, quantity: 100 });
    const deleted = await shop.addStock({ name: gula, quantity: 5 });
    await Promise.all(APPS.map(build));
    const opened = await Promise.all(APPS.map(open));
    const pages = opened.map(({ page }) => page);

    await allShow(pages, `${kopi}: 100`);
    const recorded = await Promise.all(pages.map((page) => record(page, kopi)));
    await shop.createOrder({ productId: sold.id, quantity: 10 });
    await allShow(pages, `${kopi}: 90`);

    gateway.kill('SIGKILL');
    await gateway.exited;
    await atStock.adjustStock(sold.id, -83);
    await atStock.deleteStock(deleted.id);
    await atStock.addStock({ name: teh, quantity: 3 });
    await gateway.restart();

    await allShow(pages, `${kopi}: 7`);
    await allShow(pages, `${teh}: 3`);
    for (const page of pages) {
      await page.getByRole('listitem').filter({ hasText: gula }).waitFor({ state: 'detached' });
    }
    // The pages are live again, not only read again.
    await shop.adjustStock(sold.id, 1);
    await allShow(pages, `${kopi}: 8`);
    // Each page has shown each state once, and none after a newer one.
    const states = [100, 90, 7, 8].map((quantity) => `${kopi}: ${quantity}`);
    for (const texts of recorded) expect(await texts()).toEqual(states);
    expect(opened.flatMap(({ problems }) => problems)).toEqual([]);
  },
  BUILDS_WITHIN_MS,
);

test('the Node worker reports each low stock once across SIGKILL of the gateway and of itself', async () => {
  const { graph, gateway, stock } = system();
  const shop = createShopClient(graph);
  const atStock = createShopClient(graphAt(`${stock.url}/graphql`));
  const name = `Kopi ${randomUUID().slice(0, 8)}`;
  const { id } = await shop.addStock({ name, quantity: 4 });
  const work = () =>
    start('node-worker', 'node worker.js', { GRAPH_URL: `${gateway.url}/graphql` });
  const reports = (quantity: number, { lines }: GuideProcess) =>
    eventually(
      () => lines.join('\n'),
      (text) => text.includes(`${name} (${id}) has ${quantity},`),
      { until: `the worker reports ${quantity}` },
    );

  const first = work();
  await reports(4, first);
  await shop.adjustStock(id, -1);
  await reports(3, first);
  gateway.kill('SIGKILL');
  await gateway.exited;
  await atStock.adjustStock(id, -1);
  await gateway.restart();
  await reports(2, first);

  await first.stop();
  await shop.adjustStock(id, -1);
  await shop.adjustStock(id, -1);
  const second = work();
  await reports(1, second);
  await reports(0, second);
  const versions = [...first.lines, ...second.lines]
    .filter((line) => line.includes(id))
    .map((line) => Number(/version (\d+)$/.exec(line)?.[1]));
  expect([...new Set(versions)]).toEqual([1, 2, 3, 4, 5]);

  // A cursor of 1970 and of another epoch, as after a stop for longer than SNAPSHOT_DAYS.
  await second.stop();
  const expired = Buffer.from('1,0199b3a4-1c7e-7a70-8f3c-2f6f3d1f2a11,1,5').toString('base64url');
  await writeFile(join(workspace.folderOf('node-worker'), 'cursor'), expired);
  await reports(0, work());
});
