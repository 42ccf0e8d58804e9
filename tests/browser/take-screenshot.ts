/**
 * Takes the README's screenshot of the page /live. Starts its own system as `npm start` does, with
 * simulated traffic. Run it with `npm run screenshot`. `npm run screenshot -- <folder>` also saves
 * screenshots of all pages, and of /live while Kafka is unavailable, in all sizes and color schemes,
 * to that folder.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { argv, kill, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { type RunningBrowser, startBrowser } from '@gudang/testing/chromium';
import { graphAt } from '@gudang/testing/clients/graph-client';
import { createShopClient } from '@gudang/testing/clients/shop-client';
import { startNpmStart } from '@gudang/testing/system/npm-start';
import type { Page } from 'playwright-core';
import { livePage } from './live-page.ts';
import { addProducts, simulateTraffic } from './simulate-traffic.ts';

const picture = fileURLToPath(new URL('../../gateway/pages/screenshot-live.png', import.meta.url));
const PATHS = { overview: '/', live: '/live', graphiql: '/graphiql', sandbox: '/graphql' };
const [folder] = argv.slice(2);

const system = await startNpmStart();
const browser = await startBrowser();
const { url } = system;
const shop = createShopClient(graphAt(`${url}/graphql`));

/** Takes a screenshot of a page at all sizes and in both color schemes. */
async function takeAll(
  { open }: RunningBrowser,
  { name, path, prepare }: { name: string; path: string; prepare?: (page: Page) => Promise<void> },
): Promise<void> {
  for (const width of [1280, 390]) {
    for (const colorScheme of ['light', 'dark'] as const) {
      const opened = await open({ colorScheme, viewport: { width, height: 860 } });
      await opened.page.goto(`${url}${path}`, { waitUntil: 'networkidle' });
      await prepare?.(opened.page);
      const file = join(folder ?? '', `${name}-${width}-${colorScheme}.png`);
      await opened.page.screenshot({ path: file, fullPage: width < 1000 || path === '/' });
      await opened.close();
      stdout.write(`${file}\n`);
    }
  }
}

try {
  await addProducts(shop);
  const { page, close } = await browser.open({ viewport: { width: 1280, height: 800 } });
  await page.goto(`${url}/live`);
  const live = livePage(page);
  await live.isConnected('Live');
  await simulateTraffic(shop);
  await live.order('kopi-gayo', 3);
  await live.said(/On screen after/);
  // The page highlights a change only for a short time, so the screenshot is taken immediately after a change.
  await shop.adjustStock('gula-aren', 12);
  await shop.createOrder({ productId: 'teh-melati', quantity: 2 });
  await page.locator('[data-stock="teh-melati"] [data-way="down"] span').waitFor();
  await page.screenshot({ path: picture });
  await close();
  stdout.write(`${picture}\n`);

  if (folder) {
    await mkdir(folder, { recursive: true });
    for (const [name, path] of Object.entries(PATHS)) {
      const prepare = path === '/live' ? () => simulateTraffic(shop, 20) : undefined;
      await takeAll(browser, { name, path, ...(prepare ? { prepare } : {}) });
    }
    const kafka = await system.pidOf('kafka');
    // The supervisor would restart a Kafka that has exited.
    if (kafka) kill(kafka, 'SIGSTOP');
    const prepare = async (page: Page): Promise<void> => {
      const live = livePage(page);
      await live.order('teh-melati', 2);
      await live.notices(/Kafka is unavailable/);
      await live.said(/takes longer/);
    };
    await takeAll(browser, { name: 'live-without-kafka', path: '/live', prepare });
    if (kafka) kill(kafka, 'SIGCONT');
  }
} finally {
  await browser.close();
  system.kill('SIGTERM');
  await system.exited;
  await system.clear();
}
