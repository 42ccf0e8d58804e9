import { setTimeout as pause } from 'node:timers/promises';
import { graphAt } from '@gudang/testing/clients/graph-client';

/** Clients that send orders and queries without retries. No request may fail. */
export interface SteadyTraffic {
  /** Ids of the acknowledged orders. */
  readonly acknowledged: readonly string[];
  /** Number of successful queries. */
  readonly answered: () => number;
  /** Reasons why requests failed. Every response with errors counts as a failure. */
  readonly failures: readonly string[];
  /** Stops the clients. Resolves once all requests have a response. */
  readonly stop: () => Promise<void>;
}

const CLIENTS = 4;
/**
 * Maximum pause between requests, in milliseconds. It is so long that servers close some connections while
 * these are idle.
 */
const BETWEEN_MS = 300;
const ORDER = 'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id } }';
/** A query that needs both subgraphs and resolves entities in each of them. */
const ASK = `query ($id: ID!) { stock(id: $id) { quantity
  orders(first: 3) { nodes { id status stock { name } } } } }`;

/** @param url URL of the load balancer in front of the gateways */
export function startSteadyTraffic({
  url,
  productIds,
  onOrder,
}: {
  url: string;
  productIds: readonly string[];
  onOrder: (id: string) => void;
}): SteadyTraffic {
  const graph = graphAt(`${url}/graphql`);
  const acknowledged: string[] = [];
  const failures: string[] = [];
  let answered = 0;
  let over = false;

  const succeed = async <T>(asked: ReturnType<typeof graph<T>>): Promise<T | undefined> => {
    try {
      const { status, data, errors } = await asked;
      if (data && !errors) return data;
      failures.push(`HTTP ${status}: ${JSON.stringify(errors)}`);
    } catch (error) {
      const { message, cause } = error as Error;
      failures.push(`${message} (${(cause as { code?: string } | undefined)?.code})`);
    }
    return undefined;
  };
  const client = async (first: number): Promise<void> => {
    for (let turn = first; !over; turn += 1) {
      const id = productIds[turn % productIds.length] ?? '';
      const input = { productId: id, quantity: 1 };
      const ordered = await succeed<{ createOrder: { id: string } }>(graph(ORDER, { input }));
      if (ordered) {
        acknowledged.push(ordered.createOrder.id);
        onOrder(ordered.createOrder.id);
      }
      await pause(BETWEEN_MS * Math.random());
      if (await succeed(graph(ASK, { id }))) answered += 1;
      await pause(BETWEEN_MS * Math.random());
    }
  };
  const clients = Array.from({ length: CLIENTS }, (_, index) => client(index));

  return {
    acknowledged,
    failures,
    answered: () => answered,
    stop: async () => {
      over = true;
      await Promise.all(clients);
    },
  };
}
