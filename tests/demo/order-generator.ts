import { dataOf, type Graph } from '@gudang/testing/clients/graph-client';

export interface Stock {
  readonly id: string;
  quantity: number;
}

const STOCKS = '{ stocks(first: 100) { nodes { id quantity } } }';
const ADD = 'mutation ($input: AddStockInput!) { addStock(input: $input) { id quantity } }';
const DELIVER = `mutation ($id: ID!, $delta: Int!) {
  adjustStock(id: $id, delta: $delta, reason: "delivery") { quantity } }`;

/** On average, one of 50 orders is for an unknown product, and one of 20 exceeds the stock's quantity. */
const UNKNOWN_EVERY = 50;
const TOO_MANY_EVERY = 20;
/** Quantity below which a stock gets a delivery, so that later orders for it can be confirmed. */
const LOW = 20;
const DELIVERY = { from: 50, to: 200 };

/** Returns the existing stocks, or adds some if there are none. */
export async function findStocks(graph: Graph): Promise<Stock[]> {
  const found: Stock[] = (await dataOf(graph(STOCKS))).stocks.nodes;
  if (found.length > 0) return found;
  const names = ['Kopi Gayo 250 g', 'Teh Melati 100 g', 'Gula Aren 500 g'];
  const add = async (name: string): Promise<Stock> =>
    (await dataOf(graph(ADD, { input: { name, quantity: 100 } }))).addStock;
  return Promise.all(names.map(add));
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
export async function deliver(graph: Graph, stock: Stock): Promise<void> {
  if (stock.quantity >= LOW) return;
  const delta = DELIVERY.from + Math.floor(Math.random() * (DELIVERY.to - DELIVERY.from));
  const { data } = await graph(DELIVER, { id: stock.id, delta });
  if (data) stock.quantity = data.adjustStock.quantity;
}
