import { randomUUID } from 'node:crypto';
import { dataOf, type Graph, graphAt } from '@gudang/testing/clients/graph-client';
import { type LiveClient, startLiveClient } from '@gudang/testing/clients/live-client';
import { eventually } from '@gudang/testing/eventually';
import type { ComposeProject } from './compose-project.ts';

/** A Compose project that is up, with the addresses of its edge. */
export interface RunningSystem {
  readonly project: ComposeProject;
  /** Base URLs, without a slash at the end. */
  readonly graphUrl: string;
  readonly ordersUrl: string;
  readonly stocksUrl: string;
  readonly graph: Graph;
  /** Prints the result of a check; a failed check makes the exit code 1. */
  readonly verify: (what: string, holds: boolean, seen: string) => void;
}

export interface Ports {
  readonly graph: number;
  readonly orders: number;
  readonly stocks: number;
}

export function runningSystem(
  project: ComposeProject,
  ports: Ports,
  verify: RunningSystem['verify'],
): RunningSystem {
  const at = (port: number): string => `http://127.0.0.1:${port}`;
  const graphUrl = at(ports.graph);
  return {
    project,
    graphUrl,
    ordersUrl: at(ports.orders),
    stocksUrl: at(ports.stocks),
    graph: graphAt(`${graphUrl}/graphql`),
    verify,
  };
}

const ADD = 'mutation ($input: AddStockInput!) { addStock(input: $input) { id } }';
const ORDER = 'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id } }';
const DECISION = 'query ($id: ID!) { order(id: $id) { status } }';

/** Adds a stock with a new id. @returns the id */
export async function addStock(graph: Graph, quantity: number): Promise<string> {
  const id = `try-${randomUUID()}`;
  await dataOf(graph(ADD, { input: { id, name: 'Kopi', quantity } }));
  return id;
}

/**
 * Orders one piece, also if the first attempts fail, and waits for the decision.
 * @returns the status, and the time from the first attempt to the decision in milliseconds
 */
export async function orderOne(graph: Graph, productId: string): Promise<[string, number]> {
  const began = performance.now();
  const input = { productId, quantity: 1, idempotencyKey: randomUUID() };
  const { createOrder } = await eventually(
    () => dataOf(graph(ORDER, { input })),
    () => true,
    { until: 'the order is accepted', within: 90_000, every: 100 },
  );
  const { order } = await eventually(
    () => dataOf(graph(DECISION, { id: createOrder.id })),
    (seen) => seen.order.status !== 'PENDING',
    { until: 'the order is decided', within: 90_000, every: 50 },
  );
  return [order.status, performance.now() - began];
}

/** Returns the quantity of a stock. */
export async function quantityOf(graph: Graph, id: string): Promise<number> {
  const read = 'query ($id: ID!) { stock(id: $id) { quantity } }';
  const { stock } = await eventually(
    () => dataOf(graph(read, { id })),
    () => true,
    { within: 60_000 },
  );
  return stock.quantity;
}

/** Subscribes to the changes of a stock; resumes by cursor after a lost connection. */
export function followStock(
  url: string,
  id: string,
  authorization?: string,
): Promise<LiveClient<StockChanged>> {
  const query = `subscription ($ids: [ID!], $after: String) {
    stockChanged(ids: $ids, after: $after) { cursor kind stock { quantity version } }
  }`;
  return startLiveClient<StockChanged>({
    url: `${url}/graphql`,
    query,
    authorization,
    variables: { ids: [id] },
    resume: (last) => ({ ids: [id], after: last?.stockChanged.cursor }),
  });
}

export interface StockChanged {
  readonly stockChanged: {
    readonly cursor: string;
    readonly kind: string;
    readonly stock: { readonly quantity: number; readonly version: number };
  };
}
