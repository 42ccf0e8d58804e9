import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { DemoError, type DemoGraph } from './demo-graph.ts';

export interface Stock {
  readonly id: string;
  readonly name: string;
  quantity: number;
}

/**
 * All products of demos have an id with this prefix and a name with this suffix, so that a later demo
 * finds the products of a killed one, and the user recognizes them.
 */
const PREFIX = 'demo-';
const SUFFIX = ' (demo)';
/** Age of the last change after which a demo is considered killed, in milliseconds. */
const ABANDONED_AFTER_MS = 10 * 60_000;

/** Time for which a failed deletion is retried, in milliseconds. The gateway may be restarting. */
const REMOVES_WITHIN_MS = 5_000;
const RETRY_MS = 250;
const LEFT_BEHIND = `Stocks of the demo are left; a demo that starts in ${ABANDONED_AFTER_MS / 60_000} minutes deletes them`;

const ADD = `mutation ($input: AddStockInput!) {
  addStock(input: $input) { id name quantity version } }`;
const DELETE = 'mutation ($id: ID!) { deleteStock(id: $id) { id } }';
const FIND = `query ($search: String) {
  stocks(first: 100, search: $search) { nodes { id name updatedAt } } }`;

/** Adds a product. @throws {DemoError} if the gateway fails */
export type AddProduct = (
  name: string,
  quantity: number,
) => Promise<Stock & { readonly version: number }>;

/**
 * Runs a demo with products of its own, and deletes them afterwards, even if the demo fails.
 * @throws {DemoError} if the products cannot be deleted
 */
export async function withDemoProducts(
  graph: DemoGraph,
  demo: (add: AddProduct) => Promise<void>,
): Promise<void> {
  const run = randomUUID().slice(0, 8);
  const added = new Set<string>();
  const add: AddProduct = async (name, quantity) => {
    const id = `${PREFIX}${run}-${added.size + 1}`;
    added.add(id);
    try {
      const input = { id, name: `${name}${SUFFIX}`, quantity };
      return (await graph.run(ADD, { input })).addStock;
    } catch (error) {
      // Without an answer, the stock may have been added.
      if (isAnswered(error)) added.delete(id);
      throw error;
    }
  };
  try {
    await demo(add);
  } catch (error) {
    await removeAll(graph, added).catch(() => {});
    throw error;
  }
  await removeAll(graph, added);
}

async function removeAll(graph: DemoGraph, added: ReadonlySet<string>): Promise<void> {
  const giveUpAt = Date.now() + REMOVES_WITHIN_MS;
  for (const id of added) {
    for (let deleted = false; !deleted; ) {
      try {
        await deleteStock(graph, id);
        deleted = true;
      } catch (error) {
        if (isAnswered(error) || Date.now() > giveUpAt) {
          throw new DemoError(`${(error as Error).message}. ${LEFT_BEHIND}`);
        }
        await pause(RETRY_MS);
      }
    }
  }
}

function isAnswered(error: unknown): boolean {
  return error instanceof DemoError && error.code !== undefined;
}

/**
 * Deletes the products that killed demos left behind: those that have not changed for 10 minutes. Returns
 * their number.
 */
export async function removeAbandonedProducts(graph: DemoGraph, now = Date.now()): Promise<number> {
  const { stocks } = await graph.run(FIND, { search: SUFFIX.trim() });
  const found = (stocks.nodes as { id: string; name: string; updatedAt: string }[]).filter(
    ({ id, name, updatedAt }) =>
      id.startsWith(PREFIX) &&
      name.endsWith(SUFFIX) &&
      now - Date.parse(updatedAt) > ABANDONED_AFTER_MS,
  );
  for (const { id } of found) await deleteStock(graph, id);
  return found.length;
}

/** Deletes a stock, unless it is already deleted. */
async function deleteStock({ run }: DemoGraph, id: string): Promise<void> {
  await run(DELETE, { id }).catch((error: unknown) => {
    if (!(error instanceof DemoError) || error.code !== 'NOT_FOUND') throw error;
  });
}
