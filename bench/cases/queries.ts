import { dataOf } from '@gudang/testing/clients/graph-client';
import type { BenchRig } from '../suite/bench-rig.ts';

const PLACES = 2_000;
const PAGE = 100;

export const LIST =
  'query ($after: String) { orders(first: 50, after: $after) { nodes { id quantity stock { id name quantity } } } }';
export const STOCK = 'query ($id: ID!) { stock(id: $id) { id name quantity } }';
export const PAGE_OF_STOCKS =
  'query ($after: String) { stocks(first: 20, after: $after) { nodes { id name quantity orders(first: 5) { nodes { id status } } } } }';
export const ORDER =
  'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id status } }';

/** Bodies of the list of 50, each from another place. */
export async function differentLists({ graph }: BenchRig): Promise<string[]> {
  const query =
    'query ($after: String) { orders(first: 100, after: $after) { edges { cursor } pageInfo { endCursor } } }';
  const cursors: string[] = [];
  for (let after: string | undefined; cursors.length < PLACES; ) {
    const { orders } = await dataOf(graph(query, { after }));
    cursors.push(...orders.edges.map((edge: { cursor: string }) => edge.cursor));
    if (orders.edges.length < PAGE) throw new Error('There are too few orders to page through');
    after = orders.pageInfo.endCursor;
  }
  return cursors.map((after) => JSON.stringify({ query: LIST, variables: { after } }));
}

/** Bodies of the page of stocks, each from another place. */
export async function differentPages({ graph }: BenchRig): Promise<string[]> {
  const query =
    'query ($after: String) { stocks(first: 100, after: $after) { edges { cursor } pageInfo { endCursor hasNextPage } } }';
  const cursors: string[] = [];
  for (let after: string | undefined, more = true; more; ) {
    const { stocks } = await dataOf(graph(query, { after }));
    cursors.push(...stocks.edges.map((edge: { cursor: string }) => edge.cursor));
    after = stocks.pageInfo.endCursor;
    more = stocks.pageInfo.hasNextPage;
  }
  // The last ones have no whole page behind them.
  const whole = cursors.slice(0, -20);
  return whole.map((after) => JSON.stringify({ query: PAGE_OF_STOCKS, variables: { after } }));
}

/** One after the other, and again. */
export function inTurn(bodies: readonly string[]): (turn: number) => string {
  return (turn) => bodies[turn % bodies.length] ?? '';
}
