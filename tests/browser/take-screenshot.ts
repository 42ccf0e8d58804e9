/**
 * Takes the README's screenshot of the page /live. Starts its own system, with simulated traffic.
 * Run it with `npm run screenshot`. `npm run screenshot -- <folder>` also saves screenshots of all
 * pages, in all sizes and color schemes, to that folder.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { argv, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { startTestServers } from '@gudang/embedded/testing';
import { startBrowser } from '@gudang/testing/chromium';
import { createShopClient } from '@gudang/testing/clients/shop-client';
import { startSystem } from '@gudang/testing/system/system';
import { livePage } from './live-page.ts';
import { addProducts, simulateTraffic } from './simulate-traffic.ts';

const picture = fileURLToPath(new URL('../../gateway/pages/screenshot-live.png', import.meta.url));
const PATHS = { overview: '/', live: '/live', graphiql: '/graphiql', sandbox: '/graphql' };
const [folder] = argv.slice(2);

const servers = await startTestServers();
const system = await startSystem(servers);
const browser = await startBrowser();
try {
  const { url } = system.gateway;
  const shop = createShopClient(system.graph);
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

  if (folder) await mkdir(folder, { recursive: true });
  for (const [name, path] of folder ? Object.entries(PATHS) : []) {
    for (const width of [1280, 390]) {
      for (const colorScheme of ['light', 'dark'] as const) {
        const viewport = { width, height: 860 };
        const opened = await browser.open({ colorScheme, viewport });
        await opened.page.goto(`${url}${path}`, { waitUntil: 'networkidle' });
        if (path === '/live') await simulateTraffic(shop, 20);
        const file = join(folder ?? '', `${name}-${width}-${colorScheme}.png`);
        await opened.page.screenshot({ path: file, fullPage: width < 1000 });
        await opened.close();
        stdout.write(`${file}\n`);
      }
    }
  }
} finally {
  await browser.close();
  await system.stop();
  await servers.stop();
}
