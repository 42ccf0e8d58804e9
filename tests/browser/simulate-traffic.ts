import { setTimeout as pause } from 'node:timers/promises';
import type { createShopClient } from '@gudang/testing/clients/shop-client';
import { createRandom } from '@gudang/testing/random';

const PRODUCTS = [
  { id: 'kopi-gayo', name: 'Kopi Gayo 250 g', quantity: 120 },
  { id: 'kopi-toraja', name: 'Kopi Toraja 250 g', quantity: 80 },
  { id: 'teh-melati', name: 'Teh Melati 100 g', quantity: 200 },
  { id: 'sambal-matah', name: 'Sambal Matah 150 ml', quantity: 60 },
  { id: 'kecap-manis', name: 'Kecap Manis 600 ml', quantity: 150 },
  { id: 'gula-aren', name: 'Gula Aren 500 g', quantity: 40 },
  { id: 'batik-tulis', name: 'Batik Tulis Pekalongan', quantity: 24 },
  { id: 'kerupuk-udang', name: 'Kerupuk Udang 400 g', quantity: 0 },
  { id: 'beras-pandan', name: 'Beras Pandan Wangi 5 kg', quantity: 64 },
];
const EVERY_MS = 120;

type ShopClient = ReturnType<typeof createShopClient>;

/** Adds the products that do not exist yet. */
export async function addProducts(shop: ShopClient): Promise<void> {
  for (const product of PRODUCTS) if (!(await shop.stock(product.id))) await shop.addStock(product);
}

/** Creates a reproducible sequence of orders and deliveries. @param steps number of changes */
export async function simulateTraffic(shop: ShopClient, steps = 400): Promise<void> {
  const random = createRandom(7);
  for (let step = 1; step <= steps; step += 1) {
    const { id, quantity } = random.pick(PRODUCTS);
    if (random.chance(0.12)) await shop.adjustStock(id, random.between(6, 18));
    else if (step % 61 === 0) await shop.createOrder({ productId: id, quantity: 5_000 });
    else if (step % 97 === 0) await shop.createOrder({ productId: 'kopi-luwak', quantity: 1 });
    else if (quantity > 0) {
      await shop.createOrder({ productId: id, quantity: random.between(1, 3) });
    }
    await pause(EVERY_MS);
  }
  // The list of the newest orders also shows a rejected order.
  await shop.createOrder({ productId: 'gula-aren', quantity: 5_000 });
}
