import { AxeBuilder } from '@axe-core/playwright';
import { signToken } from '@gudang/auth/testing';
import { SECURED } from '@gudang/testing/clients/callers';
import { dataOf, graphAt } from '@gudang/testing/clients/graph-client';
import { createShopClient } from '@gudang/testing/clients/shop-client';
import { useSystem } from '@gudang/testing/system/use-system';
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { livePage } from './live-page.ts';
import { useBrowser } from './use-browser.ts';

const system = useSystem({ environment: { all: SECURED } });
const visit = useBrowser();
const WRITES = 'order:write stock:write';
const STOCK = { id: 'kopi-gayo', name: 'Kopi Gayo', quantity: 100 };

const tokenOf = (sub: string, scope = WRITES, expiresIn = 3600): Promise<string> =>
  signToken({ sub, scope }, { expiresIn });
const graphOf = async (sub: string) =>
  graphAt(`${system().gateway.url}/graphql`, `Bearer ${await tokenOf(sub)}`);
const orderOf = async (sub: string): Promise<string> => {
  const mutation = 'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id } }';
  const input = { productId: STOCK.id, quantity: 1 };
  return (await dataOf((await graphOf(sub))(mutation, { input }))).createOrder.id;
};

beforeAll(async () => {
  await createShopClient(await graphOf('Siti')).addStock(STOCK);
});

async function onLivePage(
  look: (live: ReturnType<typeof livePage>, page: Page) => Promise<void>,
): Promise<void> {
  await visit({ origin: system().gateway.url, path: '/live' }, async (page) => {
    const addresses: string[] = [];
    page.on('request', (request) => addresses.push(request.url()));
    page.on('websocket', (socket) => addresses.push(socket.url()));
    await look(livePage(page), page);
    // URLs are logged and stored, so no URL may contain a token.
    expect(addresses.filter((address) => /eyJ/.test(address))).toEqual([]);
    expect(page.url()).not.toContain('eyJ');
  });
}

const form = (page: Page) => page.getByRole('form', { name: 'Sign in' });
async function give(page: Page, token: string): Promise<void> {
  await form(page).getByLabel('Your access token').fill(token);
  await form(page).getByRole('button', { name: 'Sign in' }).click();
}

test('shows live stocks without a token, and asks users in their words to sign in', async () => {
  await onLivePage(async (live, page) => {
    await live.shows(STOCK.id, 100);
    await live.notices(/You are not signed in/);
    await live.isConnected('Live');
    await live.order(STOCK.id, 1);
    await live.said(/^Sign in to do this\.$/);
    await page.getByText('Sign in to see your orders.').waitFor();
    expect(await page.locator('main').innerText()).not.toMatch(/Bearer|Mutation|scope|API/);
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id }) => id)).toEqual([]);
  });
});

test('uses the token for queries, orders and streams, even after a reload', async () => {
  const [mine, others] = await Promise.all([orderOf('Siti'), orderOf('Budi')]);
  await onLivePage(async (live, page) => {
    await give(page, await tokenOf('Siti'));
    await form(page).getByText('Signed in as Siti').waitFor();
    await live.showsOrder(mine, 'CONFIRMED');
    await live.noticesNothing();
    await live.order(STOCK.id, 2);
    await live.said(/^Confirmed: 2 ×/);
    expect(await page.locator(`[data-order="${others}"]`).count()).toBe(0);

    // Siti sees the changes that other callers cause to a stock, but only her own orders.
    const meanwhile = await orderOf('Budi');
    const elsewhere = await orderOf('Siti');
    await live.showsOrder(elsewhere, 'CONFIRMED');
    await createShopClient(await graphOf('Budi')).decided(meanwhile);
    const { quantity = 0 } = (await createShopClient(await graphOf('Siti')).stock(STOCK.id)) ?? {};
    await live.shows(STOCK.id, quantity);
    expect(await page.locator(`[data-order="${meanwhile}"]`).count()).toBe(0);

    await page.reload();
    await live.showsOrder(mine, 'CONFIRMED');
    await form(page).getByRole('button', { name: 'Sign out' }).click();
    await live.notices(/You are not signed in/);
    expect(await page.locator(`[data-order="${mine}"]`).count()).toBe(0);
    expect(await page.evaluate('sessionStorage.length + localStorage.length')).toBe(0);
  });
});

test('names a missing permission beside the form that requires it', async () => {
  await onLivePage(async (live, page) => {
    await live.notices(/You are not signed in/);
    await give(page, await tokenOf('Siti', 'order:write'));
    await form(page).getByText('Signed in as Siti').waitFor();
    await live.adjust(STOCK.id, 1);
    await live.adjustingSaid(/you may not do this.*the permission stock:write/);
  });
});

test('reports why a token is invalid, and then accepts a valid token', async () => {
  const forged = await signToken({ sub: 'Siti' }, { key: Buffer.from('x'.repeat(32)) });
  await onLivePage(async (live, page) => {
    await live.notices(/You are not signed in/);
    await give(page, forged);
    await live.notices(/You are signed out.*not accepted: its signature is wrong/);
    await live.isConnected('Live');
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id }) => id)).toEqual([]);
    await give(page, `Bearer ${await tokenOf('Siti')}`);
    await live.isConnected('Live');
    await live.order(STOCK.id, 1);
    await live.said(/^Confirmed: 1 ×/);
  });
});

test('keeps quantities live after the token has expired, and continues with a new token', async () => {
  await onLivePage(async (live, page) => {
    await live.notices(/You are not signed in/);
    await give(page, await tokenOf('Siti', WRITES, 4));
    await form(page).getByText('Signed in as Siti').waitFor();
    await live.notices(/You are signed out.*Your sign-in has expired/);
    await live.isConnected('Live');
    const before = Number((await live.quantityOf(STOCK.id)).replaceAll(',', ''));
    // Quantities are public, so they stay live.
    await orderOf('Budi');
    await live.shows(STOCK.id, before - 1);
    await give(page, await tokenOf('Siti'));
    await live.isConnected('Live');
    // The new token has the same subject, so the page continues with the state that it had.
    await form(page).getByText('Signed in as Siti').waitFor();
    await orderOf('Budi');
    await live.shows(STOCK.id, before - 2);
  });
});
