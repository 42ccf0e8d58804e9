import { eventually, type Patience } from '../eventually.ts';
import { dataOf, type Graph } from './graph-client.ts';

export interface ShownStock {
  readonly id: string;
  readonly name: string;
  readonly quantity: number;
  readonly version: number;
}

export interface ShownOrder {
  readonly id: string;
  readonly productId: string;
  readonly quantity: number;
  readonly status: 'PENDING' | 'CONFIRMED' | 'REJECTED' | 'CANCELLED';
  readonly rejectionReason: 'OUT_OF_STOCK' | 'UNKNOWN_PRODUCT' | null;
  readonly createdAt: string;
  readonly decidedAt: string | null;
}

/** An order with the fields that a cancellation changes. */
export interface CancelledOrder extends ShownOrder {
  readonly version: number;
  readonly cancelRequestedAt: string | null;
  readonly cancelReason: string | null;
  readonly cancelledAt: string | null;
}

const STOCK = 'id name quantity version';
const ORDER = 'id productId quantity status rejectionReason createdAt decidedAt';
const CANCELLED = `${ORDER} version cancelRequestedAt cancelReason cancelledAt`;

/**
 * Creates a client for the operations that most tests need. Each operation throws if the response
 * has errors.
 */
export function createShopClient(graph: Graph) {
  const order = async (id: string): Promise<ShownOrder | null> =>
    (await dataOf(graph(`query ($id: ID!) { order(id: $id) { ${ORDER} } }`, { id }))).order;

  return {
    addStock: async (input: {
      id?: string;
      name?: string;
      quantity: number;
    }): Promise<ShownStock> => {
      const mutation = `mutation ($input: AddStockInput!) { addStock(input: $input) { ${STOCK} } }`;
      const answer = await dataOf(graph(mutation, { input: { name: 'Kopi', ...input } }));
      return answer.addStock;
    },
    stock: async (id: string): Promise<ShownStock | null> =>
      (await dataOf(graph(`query ($id: ID!) { stock(id: $id) { ${STOCK} } }`, { id }))).stock,
    adjustStock: async (id: string, delta: number): Promise<ShownStock> => {
      const mutation = `mutation ($id: ID!, $delta: Int!) { adjustStock(id: $id, delta: $delta) { ${STOCK} } }`;
      return (await dataOf(graph(mutation, { id, delta }))).adjustStock;
    },
    deleteStock: async (id: string): Promise<ShownStock> => {
      const mutation = `mutation ($id: ID!) { deleteStock(id: $id) { ${STOCK} } }`;
      return (await dataOf(graph(mutation, { id }))).deleteStock;
    },
    stockCursor: async (): Promise<string> => (await dataOf(graph('{ stockCursor }'))).stockCursor,
    createOrder: async (input: {
      productId: string;
      quantity: number;
      idempotencyKey?: string;
    }): Promise<ShownOrder> => {
      const mutation = `mutation ($input: CreateOrderInput!) { createOrder(input: $input) { ${ORDER} } }`;
      return (await dataOf(graph(mutation, { input }))).createOrder;
    },
    cancelOrder: async (input: {
      id: string;
      reason?: string;
      idempotencyKey?: string;
    }): Promise<CancelledOrder> => {
      const mutation = `mutation ($id: ID!, $reason: String, $idempotencyKey: String) {
        cancelOrder(id: $id, reason: $reason, idempotencyKey: $idempotencyKey) { ${CANCELLED} } }`;
      return (await dataOf(graph(mutation, input))).cancelOrder;
    },
    /** Resolves to the order once its cancellation is decided: the order is cancelled, or the request refused. */
    cancelDecided: async (id: string, patience: Patience = {}): Promise<CancelledOrder> => {
      const query = `query ($id: ID!) { order(id: $id) { ${CANCELLED} } }`;
      const read = async (): Promise<CancelledOrder> => (await dataOf(graph(query, { id }))).order;
      const isDecided = ({ status, cancelRequestedAt }: CancelledOrder): boolean =>
        status === 'CANCELLED' || cancelRequestedAt === null;
      const until = `the cancellation of the order ${id} is decided`;
      return eventually(read, isDecided, { until, ...patience });
    },
    order,
    /** Resolves to the order once it is decided. */
    decided: async (id: string, patience: Patience = {}): Promise<ShownOrder> => {
      const isDecided = (seen: ShownOrder | null) => seen !== null && seen.status !== 'PENDING';
      const until = `the order ${id} is decided`;
      return (await eventually(() => order(id), isDecided, { until, ...patience })) as ShownOrder;
    },
  };
}
