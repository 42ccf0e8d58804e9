import { AxeBuilder } from '@axe-core/playwright';
import { createShopClient } from '@gudang/testing/clients/shop-client';
import { eventually } from '@gudang/testing/eventually';
import { useSystem } from '@gudang/testing/system/use-system';
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { livePage } from './live-page.ts';
import { useBrowser } from './use-browser.ts';

const SANDBOX = 'https://embeddable-sandbox.cdn.apollographql.com';

const system = useSystem();
const visit = useBrowser();
const origin = (): string => system().gateway.url;

beforeAll(async () => {
  const shop = createShopClient(system().graph);
  const { id } = await shop.addStock({ id: 'kopi-gayo', name: 'Kopi Gayo 250 g', quantity: 120 });
  for (const quantity of [2, 500]) {
    await shop.decided((await shop.createOrder({ productId: id, quantity })).id);
  }
});

/** Replaces the Apollo Sandbox script with a stub that records its options. */
async function answerForApollo(page: Page): Promise<void> {
  const body = 'window.EmbeddedSandbox = class { constructor(given) { window.given = given; } };';
  await page.route(`${SANDBOX}/**`, (route) =>
    route.fulfill({ contentType: 'text/javascript', body }),
  );
}

/** Functions that resolve once a page is completely rendered, by the path of the page. */
const SHOWN: Readonly<Record<string, (page: Page) => Promise<unknown>>> = {
  '/': (page) => page.getByText('All parts work.').waitFor(),
  '/live': async (page) => {
    await livePage(page).shows('kopi-gayo', 118);
    await page.getByText('not enough in stock').waitFor();
  },
  '/graphiql': (page) => page.locator('.graphiql-query-editor .view-line').first().waitFor(),
  '/graphql': (page) => page.getByRole('heading', { name: 'Apollo Sandbox' }).waitFor(),
};

/** Maximum size of each page with its files, compressed, in KiB. */
const SIZES: Readonly<Record<string, number>> = { '/': 22, '/live': 140, '/graphql': 18 };
const SIZE = `performance.getEntries().reduce((sum, { encodedBodySize = 0, name }) =>
  name.includes('/pages/') || name === location.href ? sum + encodedBodySize : sum, 0)`;

test.each(Object.entries(SIZES))('%s loads at most %d KiB', async (path, limit) => {
  const allowedOrigins = path === '/graphql' ? [SANDBOX] : [];
  await visit({ origin: origin(), path, allowedOrigins }, async (page) => {
    await SHOWN[path]?.(page);
    const bytes = Number(await page.evaluate(SIZE));
    expect(bytes / 1024).toBeLessThan(limit);
    // A test that reads no sizes could not fail.
    expect(bytes / 1024).toBeGreaterThan(limit / 2);
  });
});

const WIDTHS = { light: [1280], dark: [1280, 390] } as const;
const SCHEMES = ['light', 'dark'] as const;

test.each(Object.keys(SHOWN))(
  '%s has no serious accessibility violation and fits narrow and wide screens',
  async (path) => {
    const allowedOrigins = path === '/graphql' ? [SANDBOX] : [];
    for (const colorScheme of SCHEMES) {
      await visit(
        { origin: origin(), path, allowedOrigins, options: { colorScheme } },
        async (page) => {
          for (const width of WIDTHS[colorScheme]) {
            await page.setViewportSize({ width, height: 860 });
            await SHOWN[path]?.(page);
            const { violations } = await new AxeBuilder({ page }).analyze();
            const grave = violations.filter(({ impact }) => /serious|critical/.test(impact ?? ''));
            const described = grave.map(
              ({ id, nodes }) => `${id}: ${nodes.map((node) => node.html)}`,
            );
            expect(described, `${width} px, ${colorScheme}`).toEqual([]);
            const wide = await page.evaluate('document.documentElement.scrollWidth');
            expect(wide, `${width} px, ${colorScheme}`).toBeLessThanOrEqual(width);
          }
        },
      );
    }
  },
);

test('GraphiQL runs a query, and a subscription that continues while another tab is shown, without requests to other origins', async () => {
  await visit({ origin: origin(), path: '/graphiql' }, async (page) => {
    await SHOWN['/graphiql']?.(page);
    const answer = page.locator('.graphiql-response');
    const run = page.getByRole('button', { name: /^Execute query/ });
    await run.click();
    await answer.getByText('"Kopi Gayo 250 g"').first().waitFor();

    await page.getByRole('button', { name: 'Watch', exact: true }).click();
    const shop = createShopClient(system().graph);
    const { id } = await shop.addStock({ id: 'teh-melati', name: 'Teh', quantity: 9 });
    const stop = page.getByRole('button', { name: /^Stop query/ });
    // GraphiQL does not show when the gateway has accepted a subscription, and it updates the current
    // operation only some time after the tab changes. The test therefore repeats the change until
    // GraphiQL displays one.
    const changeAndCheck = async (): Promise<boolean> => {
      if (!(await stop.isVisible())) await run.click({ timeout: 1_000 }).catch(() => {});
      await shop.adjustStock(id, 1);
      return answer.getByText('"stockChanged"').first().isVisible();
    };
    await eventually(changeAndCheck, (seen) => seen, {
      until: 'a change is displayed',
      every: 300,
    });

    // GraphiQL itself would stop the subscription when another tab is shown.
    await page.getByRole('button', { name: 'Order', exact: true }).click();
    const running = page.getByRole('button', { name: /^Watch \(\d+ events?\)$/ });
    await running.waitFor();
    const placed = async (): Promise<boolean> => {
      await run.click({ timeout: 1_000 }).catch(() => {});
      return answer.getByText('"createOrder"').isVisible();
    };
    await eventually(placed, (seen) => seen, { until: 'the order is displayed', every: 300 });
    await shop.adjustStock(id, 77);
    const { quantity } = (await shop.stock(id)) ?? {};
    await running.click();
    await answer.getByText(`"quantity": ${quantity}`).waitFor();
    await stop.waitFor();
    expect(await running.count()).toBe(0);
    await shop.adjustStock(id, 1);
    await answer.getByText(`"quantity": ${Number(quantity) + 1}`).waitFor();
    await stop.click();
    await run.waitFor();
  });
});

test('Apollo Sandbox receives the websocket URL and the examples; the page reports an unreachable CDN', async () => {
  const apollo = { origin: origin(), path: '/graphql', allowedOrigins: [SANDBOX] };
  await visit({ ...apollo, prepare: answerForApollo }, async (page) => {
    // The page's Content Security Policy forbids `waitForFunction`, which evaluates a string as code.
    await expect
      .poll(() => page.evaluate('window.given'))
      .toMatchObject({
        initialEndpoint: `${origin()}/graphql`,
        initialSubscriptionEndpoint: `${origin().replace('http', 'ws')}/graphql`,
        initialState: { document: expect.stringContaining('subscription Watch') },
      });
  });
  const prepare = async (page: Page): Promise<void> => {
    await page.route(`${SANDBOX}/**`, (route) => route.abort());
  };
  await visit({ ...apollo, prepare }, async (page) => {
    await page.getByText('which cannot be reached from here').waitFor();
    await page.getByRole('link', { name: 'GraphiQL' }).waitFor();
  });
});

test('the overview names an unavailable part and the services that depend on it', async () => {
  await visit({ origin: origin(), path: '/' }, async (page) => {
    await page.getByText('All parts work.').waitFor();
    system().stock.kill('SIGSTOP');
    const part = page.getByRole('listitem').filter({ hasText: 'Stock subgraph' });
    await part.filter({ hasText: 'does not answer' }).waitFor();
    system().stock.kill('SIGCONT');
    await page.getByText('All parts work.').waitFor();
  });
});

test('the overview shows the journeys of the newest orders, also of one that waits', async () => {
  const { orders } = (await system().graph('{ orders(first: 1) { nodes { id quantity } } }')).data;
  const [order] = orders.nodes;
  const steps = ['accepted', 'stored', 'sent', 'decided', 'settled', 'pushed'];
  const way = (id: string, count: number, ms: number) => ({
    id,
    at: new Date().toISOString(),
    settled: count === steps.length,
    steps: steps.slice(0, count).map((name, at) => ({ name, from: at * ms, to: (at + 1) * ms })),
  });
  const journeys = [way(order.id, 6, 4.1), way('ffffffff-0000', 2, 3)];
  const prepare = async (page: Page): Promise<void> => {
    await page.route('**/journeys', (route) => route.fulfill({ json: { steps, journeys } }));
    await page.route('**/status', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...(await response.json()), journeys: true } });
    });
  };
  for (const colorScheme of SCHEMES) {
    const options = { colorScheme, viewport: { width: 390, height: 860 } };
    await visit({ origin: origin(), path: '/', prepare, options }, async (page) => {
      const name = `${order.quantity} × Kopi Gayo 250 g`;
      const shown = page.getByRole('listitem').filter({ hasText: name });
      await shown.filter({ hasText: '25 ms' }).waitFor();
      const parts = await shown.locator('dl > div').allInnerTexts();
      expect(parts.map((text) => text.replace(/\s+/g, ' '))).toEqual(
        steps.map((name) => `${name} 4.1 ms`),
      );
      const [first, last] = await Promise.all(
        [shown.locator('.bar i').first(), shown.locator('.bar i').last()].map((part) =>
          part.boundingBox(),
        ),
      );
      expect(last?.x).toBeGreaterThan(Number(first?.x) + Number(first?.width) * 4);
      const waiting = page.getByRole('listitem').filter({ hasText: 'Order ffffffff' });
      await waiting.getByText('Waits to be sent.').waitFor();
      const { violations } = await new AxeBuilder({ page }).analyze();
      const grave = violations.filter(({ impact }) => /serious|critical/.test(impact ?? ''));
      expect(grave.map(({ id }) => id)).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
    });
  }
});

test('the overview omits the state behind a proxy that does not forward /status', async () => {
  const prepare = async (page: Page): Promise<void> => {
    await page.route('**/status', (route) => route.fulfill({ status: 404 }));
  };
  await visit({ origin: origin(), path: '/', prepare }, async (page) => {
    await page.getByRole('heading', { name: 'What is running' }).waitFor({ state: 'hidden' });
    expect(await page.getByText('does not answer').count()).toBe(0);
    expect(await page.getByRole('link', { name: 'Metrics' }).isVisible()).toBe(false);
    expect(await page.getByRole('link', { name: 'GraphiQL' }).first().isVisible()).toBe(true);
  });
});
