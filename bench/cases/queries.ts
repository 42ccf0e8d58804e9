import { dataOf } from '@gudang/testing/clients/graph-client';
import type { BenchRig } from '../suite/bench-rig.ts';

const POSITIONS = 2_000;
const PAGE = 100;

export const LIST =
  'query ($after: String) { orders(first: 50, after: $after) { nodes { id quantity stock { id name quantity } } } }';
export const STOCK = 'query ($id: ID!) { stock(id: $id) { id name quantity } }';
export const PAGE_OF_STOCKS =
  'query ($after: String) { stocks(first: 20, after: $after) { nodes { id name quantity orders(first: 5) { nodes { id status } } } } }';
export const ORDER =
  'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id status } }';

/**
 * Request bodies for the list of 50 orders, each with a different cursor.
 * @param positions least number of bodies; a multiple of 100
 */
export async function differentLists(
  { graph }: Pick<BenchRig, 'graph'>,
  positions = POSITIONS,
): Promise<string[]> {
  const query =
    'query ($after: String) { orders(first: 100, after: $after) { edges { cursor } pageInfo { endCursor } } }';
  const cursors: string[] = [];
  for (let after: string | undefined; cursors.length < positions; ) {
    const { orders } = await dataOf(graph(query, { after }));
    cursors.push(...orders.edges.map((edge: { cursor: string }) => edge.cursor));
    if (orders.edges.length < PAGE) throw new Error('The rig has too few orders');
    after = orders.pageInfo.endCursor;
  }
  return cursors.map((after) => JSON.stringify({ query: LIST, variables: { after } }));
}

/** Request bodies for the page of stocks, each with a different cursor. */
export async function differentPages({ graph }: Pick<BenchRig, 'graph'>): Promise<string[]> {
  const query =
    'query ($after: String) { stocks(first: 100, after: $after) { edges { cursor } pageInfo { endCursor hasNextPage } } }';
  const cursors: string[] = [];
  for (let after: string | undefined, more = true; more; ) {
    const { stocks } = await dataOf(graph(query, { after }));
    cursors.push(...stocks.edges.map((edge: { cursor: string }) => edge.cursor));
    after = stocks.pageInfo.endCursor;
    more = stocks.pageInfo.hasNextPage;
  }
  // The last cursors are left out, because no full page follows them.
  const usable = cursors.slice(0, -20);
  return usable.map((after) => JSON.stringify({ query: PAGE_OF_STOCKS, variables: { after } }));
}

/** Returns the bodies in turn, and starts again after the last one. */
export function inTurn(bodies: readonly string[]): (turn: number) => string {
  return (turn) => bodies[turn % bodies.length] ?? '';
}
