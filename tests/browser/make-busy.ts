import { setTimeout as pause } from 'node:timers/promises';
import type { shopAt } from '../system/shop.ts';

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

type Shop = ReturnType<typeof shopAt>;

/** Fills an empty warehouse. */
export async function stockUp(shop: Shop): Promise<void> {
  for (const product of PRODUCTS) await shop.addStock(product);
}

/** A shop's orders and deliveries, the same each time. @param steps how many of them */
export async function makeBusy(shop: Shop, steps = 240): Promise<void> {
  for (let step = 0; step < steps; step += 1) {
    // Any order that visits all of them in no obvious one.
    const id = PRODUCTS[(step * step + step) % PRODUCTS.length]?.id ?? '';
    const other = PRODUCTS[(step * 5) % PRODUCTS.length]?.id ?? '';
    if (step % 12 === 3) await shop.adjustStock(other, 8 + (step % 17));
    else if (step % 61 === 60) await shop.createOrder({ productId: other, quantity: 5_000 });
    else if (step % 97 === 96) await shop.createOrder({ productId: 'kopi-luwak', quantity: 1 });
    else await shop.createOrder({ productId: step % 3 ? other : id, quantity: 1 + (step % 3) });
    await pause(EVERY_MS);
  }
}
