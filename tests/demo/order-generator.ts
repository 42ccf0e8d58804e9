import type { DemoGraph } from './demo-graph.ts';
import type { AddProduct, Stock } from './demo-products.ts';

const NAMES = [
  'Kopi Toraja 250 g',
  'Teh Melati 100 g',
  'Gula Aren 500 g',
  'Sambal Matah 150 ml',
  'Kerupuk Udang 400 g',
];
const QUANTITY = 100;
const DELIVER = `mutation ($id: ID!, $delta: Int!) {
  adjustStock(id: $id, delta: $delta, reason: "delivery") { quantity } }`;

/** On average, one of 50 orders is for an unknown product, and one of 20 exceeds the stock's quantity. */
const UNKNOWN_EVERY = 50;
const TOO_MANY_EVERY = 20;
/** Quantity below which a stock gets a delivery, so that later orders for it can be confirmed. */
const LOW = 20;
const DELIVERY = { from: 50, to: 200 };

/** Adds the stocks that the demo orders. */
export async function addStocks(add: AddProduct): Promise<Stock[]> {
  const stocks: Stock[] = [];
  for (const name of NAMES) stocks.push(await add(name, QUANTITY));
  return stocks;
}

/** Returns a random order. Most orders are for small quantities and for the first stocks. */
export function nextOrder(stocks: readonly Stock[], random: () => number = Math.random) {
  const pick = Math.floor(random() ** 2 * stocks.length);
  const stock = stocks[pick] as Stock;
  const oneIn = (count: number) => random() * count < 1;
  if (oneIn(UNKNOWN_EVERY)) return { productId: 'unknown-product', quantity: 1 };
  if (oneIn(TOO_MANY_EVERY)) return { productId: stock.id, quantity: 1_000_000 };
  return { productId: stock.id, quantity: 1 + Math.floor(random() * 3) };
}

/** Adds a delivery to the stock if its quantity is low, and updates `stock.quantity`. */
export async function deliver({ send }: DemoGraph, stock: Stock): Promise<void> {
  if (stock.quantity >= LOW) return;
  const delta = DELIVERY.from + Math.floor(Math.random() * (DELIVERY.to - DELIVERY.from));
  const { data } = await send(DELIVER, { id: stock.id, delta });
  if (data) stock.quantity = data.adjustStock.quantity;
}
