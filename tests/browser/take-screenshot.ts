/**
 * Takes the README's picture of /live: a running system of its own, some minutes of a shop's day
 * made in seconds. `npm run screenshot`; with a folder, all pages in all sizes and both schemes
 * besides, to look at: `npm run screenshot -- /tmp/pages`.
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
import { makeBusy, stockUp } from './make-busy.ts';

const picture = fileURLToPath(new URL('../../gateway/pages/screenshot-live.png', import.meta.url));
const PATHS = { overview: '/', live: '/live', graphiql: '/graphiql', sandbox: '/graphql' };
const [folder] = argv.slice(2);

const servers = await startTestServers();
const system = await startSystem(servers);
const browser = await startBrowser();
try {
  const { url } = system.gateway;
  const shop = createShopClient(system.graph);
  await stockUp(shop);
  const { page, close } = await browser.open({ viewport: { width: 1280, height: 800 } });
  await page.goto(`${url}/live`);
  const live = livePage(page);
  await live.isConnected('Live');
  await makeBusy(shop);
  await live.order('kopi-gayo', 3);
  await live.said(/On screen after/);
  // What flashes last is what the picture shows of it.
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
        if (path === '/live') await makeBusy(shop, 20);
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
