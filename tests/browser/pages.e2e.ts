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

/** Apollo's script as far as the page uses it: it keeps what it was given. */
async function answerForApollo(page: Page): Promise<void> {
  const body = 'window.EmbeddedSandbox = class { constructor(given) { window.given = given; } };';
  await page.route(`${SANDBOX}/**`, (route) =>
    route.fulfill({ contentType: 'text/javascript', body }),
  );
}

/** When a page has all that it shows. */
const SHOWN: Readonly<Record<string, (page: Page) => Promise<unknown>>> = {
  '/': (page) => page.getByText('All parts work.').waitFor(),
  '/live': async (page) => {
    await livePage(page).shows('kopi-gayo', 118);
    await page.getByText('not enough in stock').waitFor();
  },
  '/graphiql': (page) => page.locator('.graphiql-query-editor .view-line').first().waitFor(),
  '/graphql': (page) => page.getByRole('heading', { name: 'Apollo Sandbox' }).waitFor(),
};

const SCHEMES = ['light', 'dark'] as const;
const WIDTHS = [1280, 390];

test.each(Object.keys(SHOWN))(
  '%s has no serious fault for those who see, hear or move otherwise, and fits any screen',
  async (path) => {
    const mayAsk = path === '/graphql' ? [SANDBOX] : [];
    for (const colorScheme of SCHEMES) {
      await visit({ origin: origin(), path, mayAsk, options: { colorScheme } }, async (page) => {
        for (const width of WIDTHS) {
          await page.setViewportSize({ width, height: 860 });
          await SHOWN[path]?.(page);
          const { violations } = await new AxeBuilder({ page }).analyze();
          const grave = violations.filter(({ impact }) => /serious|critical/.test(impact ?? ''));
          const told = grave.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html)}`);
          expect(told, `${width} px, ${colorScheme}`).toEqual([]);
          const wide = await page.evaluate('document.documentElement.scrollWidth');
          expect(wide, `${width} px, ${colorScheme}`).toBeLessThanOrEqual(width);
        }
      });
    }
  },
);

test('GraphiQL, with the gateway alone, runs a query and a subscription', async () => {
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
    // GraphiQL learns a moment after the tab which operation it holds, and until then runs the last
    // one's; and that it runs does not say yet that the gateway has it. So both are done until a
    // change is seen.
    const changeAndLook = async (): Promise<boolean> => {
      if (!(await stop.isVisible())) await run.click({ timeout: 1_000 }).catch(() => {});
      await shop.adjustStock(id, 1);
      return answer.getByText('"stockChanged"').first().isVisible();
    };
    await eventually(changeAndLook, (seen) => seen, { until: 'a change is shown', every: 300 });
  });
});

test('Sandbox is given the websocket and examples; without its servers the page says so', async () => {
  const apollo = { origin: origin(), path: '/graphql', mayAsk: [SANDBOX] };
  await visit({ ...apollo, prepare: answerForApollo }, async (page) => {
    // Not waitForFunction, which evaluates a string: the page's policy allows none.
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

test('the overview names what is down, and who misses it', async () => {
  await visit({ origin: origin(), path: '/' }, async (page) => {
    await page.getByText('All parts work.').waitFor();
    system().stock.kill('SIGSTOP');
    const part = page.getByRole('listitem').filter({ hasText: 'Stock subgraph' });
    await part.filter({ hasText: 'does not answer' }).waitFor();
    system().stock.kill('SIGCONT');
    await page.getByText('All parts work.').waitFor();
  });
});
