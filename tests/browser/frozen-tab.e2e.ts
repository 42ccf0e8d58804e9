import { env } from 'node:process';
import { fileURLToPath } from 'node:url';
import type { LiveEvent } from '@gudang/client';
import { type RunningBrowser, startBrowser } from '@gudang/testing/chromium';
import { graphAt } from '@gudang/testing/clients/graph-client';
import { createShopClient } from '@gudang/testing/clients/shop-client';
import { eventually } from '@gudang/testing/eventually';
import { startTcpProxy, type TcpProxy } from '@gudang/testing/proxy/tcp-proxy';
import { createRandom } from '@gudang/testing/random';
import { useSystem } from '@gudang/testing/system/use-system';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startStockChanges } from '../client/stock-changes.ts';
import { type StockChanged, StreamChecker } from '../client/stream-checker.ts';

/** Time for which the tab is frozen, and then offline, in seconds. */
const SECONDS = Number(env['FROZEN_TAB_S'] ?? 3);
const STOCKS = 8;
const CHANGES_PER_S = 40;
/** Patience for each step, in ms: under load, a restart and a catch-up take long. */
const WITHIN_MS = 60_000;
const TEST_MS = 240_000 + 2 * SECONDS * 1_000;

const system = useSystem();
let browser: RunningBrowser;
let proxy: TcpProxy;

beforeAll(async () => {
  browser = await startBrowser();
  proxy = await startTcpProxy({ port: Number(new URL(system().gateway.url).port) });
});
afterAll(async () => {
  await browser?.close();
  await proxy?.stop();
});

const pause = (seconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, seconds * 1_000));

/** What the page has received since the last call. */
interface Received {
  readonly events: readonly LiveEvent<StockChanged>[];
  readonly states: readonly string[];
}

/** The modules that the page loads, as a browser finds them without a bundler. */
const MODULES = {
  '@gudang/client': 'packages/client/dist/index.js',
  'graphql-ws/client': 'node_modules/graphql-ws/dist/client.js',
  'graphql-sse': 'node_modules/graphql-sse/lib/client.mjs',
};

const pageOf = (after: string): string => `<!doctype html><link rel="icon" href="data:,">
<script type="importmap">${JSON.stringify({
  imports: Object.fromEntries(
    Object.entries(MODULES).map(([name, path]) => [name, `/app/${path}`]),
  ),
})}</script>
<script type="module">
  import { createClient } from '@gudang/client';
  const received = { events: [], states: [] };
  window.take = () => ({ events: received.events.splice(0), states: received.states.splice(0) });
  const client = createClient({ url: '/graphql' });
  client.onState((state) => received.states.push(state));
  client.subscribe('subscription { stockChanged { kind stock { id version } } }', null, {
    after: ${JSON.stringify(after)},
    next: (event) => received.events.push(event),
  });
</script>`;

async function openApp(after: string): Promise<{ page: Page; close: () => Promise<void> }> {
  const { page, close } = await browser.open();
  await page.route('**/app/**', (route) => {
    const path = new URL(route.request().url()).pathname.replace('/app/', '');
    if (path === '') return route.fulfill({ contentType: 'text/html', body: pageOf(after) });
    return route.fulfill({
      contentType: 'text/javascript',
      path: fileURLToPath(new URL(`../../${path}`, import.meta.url)),
    });
  });
  await page.goto(`http://127.0.0.1:${proxy.port}/app/`);
  return { page, close };
}

test(
  'a tab that is frozen and then offline misses no change',
  async () => {
    const { gateway, graph, stock } = system();
    const shop = createShopClient(graph);
    const after = await shop.stockCursor();
    const ids = await Promise.all(
      Array.from({ length: STOCKS }, async () => (await shop.addStock({ quantity: 1_000_000 })).id),
    );
    const { page, close } = await openApp(after);
    const checker = new StreamChecker();
    const states: string[] = [];
    const take = async (): Promise<Received> => {
      // biome-ignore lint/suspicious/noExplicitAny: defined by the page
      const received: Received = await page.evaluate(() => (globalThis as any).take());
      for (const event of received.events) checker.receive(event);
      states.push(...received.states);
      return received;
    };
    const isLive = (): Promise<unknown> =>
      eventually(take, () => states.at(-1) === 'live', {
        until: 'the tab is live',
        within: WITHIN_MS,
      });
    // Changes are sent directly to the stock subgraph, so they continue while the gateway is down.
    const changes = startStockChanges(graphAt(`${stock.url}/graphql`), {
      ids,
      perSecond: CHANGES_PER_S,
      random: createRandom(19),
    });
    try {
      await isLive();
      const devTools = await page.context().newCDPSession(page);
      await devTools.send('Page.setWebLifecycleState', { state: 'frozen' });
      await pause(SECONDS / 2);
      await gateway.restart();
      await pause(SECONDS / 2);
      await devTools.send('Page.setWebLifecycleState', { state: 'active' });
      await take();
      await isLive();

      proxy.stall();
      await page.context().setOffline(true);
      await eventually(take, () => states.at(-1) === 'offline', {
        until: 'the tab is offline',
        within: WITHIN_MS,
      });
      await pause(SECONDS);
      await proxy.cut();
      await proxy.restore();
      await page.context().setOffline(false);
      await isLive();
    } finally {
      await changes.stop();
    }
    const versions = new Map<string, number>();
    for (const id of ids) versions.set(id, (await shop.stock(id))?.version ?? 0);
    await eventually(take, () => ids.every((id) => checker.versions.get(id) === versions.get(id)), {
      until: 'the tab shows the state of the database',
      within: WITHIN_MS,
    });
    await close();
    process.stdout.write(
      `${changes.made()} changes: ${checker.events} events, ${checker.conflated} conflated, ${checker.snapshots} snapshots of ${checker.rows} rows\n`,
    );
    expect(checker.violations).toEqual([]);
    expect(checker.events).toBeGreaterThan(STOCKS);
    expect(states).toContain('offline');
  },
  TEST_MS,
);
