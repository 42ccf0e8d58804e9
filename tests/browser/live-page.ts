import type { Locator, Page } from 'playwright-core';

/** Returns functions that find and use the elements of the page /live. */
export function livePage(page: Page) {
  const row = (id: string): Locator => page.locator(`[data-stock="${id}"]`);
  const order = page.getByRole('form', { name: 'Order' });
  const adjusting = page.locator('form', { has: page.getByRole('button', { name: 'Adjust' }) });
  return {
    quantityOf: (id: string): Promise<string> => row(id).locator('.stock-quantity').innerText(),
    /** Resolves once the page shows the given quantity of the stock. */
    shows: (id: string, quantity: number, withinMs = 10_000): Promise<void> =>
      row(id)
        .locator('.stock-quantity', { hasText: new RegExp(`^${quantity}$`) })
        .waitFor({ timeout: withinMs }),
    showsOrder: (id: string, status: string, withinMs = 10_000): Promise<void> =>
      page.locator(`[data-order="${id}"][data-status="${status}"]`).waitFor({ timeout: withinMs }),
    row,
    cancel: (id: string): Promise<void> =>
      page
        .locator(`[data-order="${id}"]`)
        .getByRole('button', { name: /^Cancel the order/ })
        .click(),
    order: async (productId: string, quantity: number): Promise<void> => {
      await order.getByLabel('Product').fill(productId);
      await order.getByLabel('Quantity').fill(String(quantity));
      await order.getByRole('button', { name: 'Place order' }).click();
    },
    product: order.getByLabel('Product'),
    /** Resolves once the order form shows the given text. */
    said: (text: RegExp): Promise<void> =>
      order.getByRole('status').filter({ hasText: text }).waitFor(),
    adjust: async (productId: string, delta: number): Promise<void> => {
      await page.getByText('Adjust a stock').click();
      await adjusting.getByLabel('Product').fill(productId);
      await adjusting.getByLabel('Change').fill(String(delta));
      await adjusting.getByRole('button', { name: 'Adjust' }).click();
    },
    /** Resolves once the adjustment form shows the given text. */
    adjustingSaid: (text: RegExp): Promise<void> =>
      adjusting.getByRole('status').filter({ hasText: text }).waitFor(),
    /** Resolves once the page shows the given notice. */
    notices: (text: RegExp): Promise<void> =>
      page.locator('#notice').filter({ hasText: text }).waitFor(),
    noticesNothing: (): Promise<void> =>
      page.locator('#notice:empty').waitFor({ state: 'attached' }),
    isConnected: (state: string): Promise<void> =>
      page.locator('#connection', { hasText: state }).waitFor(),
  };
}
