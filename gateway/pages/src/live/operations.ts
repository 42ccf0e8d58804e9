/** The operations of the page, all on the public graph; a test validates them against its schema. */

const ORDER = 'id productId quantity status rejectionReason createdAt version cancelRequestedAt';

export const STOCKS_QUERY = `query Stocks($after: String) {
  stockCursor
  stocks(first: 100, after: $after) {
    nodes { id name quantity version }
    pageInfo { hasNextPage endCursor }
  }
}`;

export interface StocksData {
  readonly stockCursor: string;
  readonly stocks: {
    readonly nodes: readonly {
      readonly id: string;
      readonly name: string;
      readonly quantity: number;
      readonly version: number;
    }[];
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  };
}

/**
 * Selects only fields of the stock service, so that the stream continues while the order service is
 * unavailable.
 */
export const STOCK_CHANGED = `subscription StockChanged {
  stockChanged {
    kind delta at
    stock { id name quantity version }
    order { id }
  }
}`;

export interface StockChangedData {
  readonly stockChanged: {
    readonly kind:
      | 'CREATED'
      | 'ORDERED'
      | 'ADJUSTED'
      | 'UPDATED'
      | 'DELETED'
      | 'RETURNED'
      | 'SNAPSHOT';
    readonly delta: number;
    readonly at: string;
    readonly stock: {
      readonly id: string;
      readonly name: string;
      readonly quantity: number;
      readonly version: number;
    };
    readonly order: { readonly id: string } | null;
  };
}

/** Queries the newest orders, and the cursor of their changes. */
export const ORDERS_QUERY = `query Orders {
  orderCursor
  orders(first: 30) { nodes { ${ORDER} } }
}`;

/** Finds out whether the services and their databases answer. */
export const SERVICES_QUERY = `query Services($stock: ID!, $order: ID!) {
  stock(id: $stock) { id }
  order(id: $order) { id }
}`;

export interface OrderData {
  readonly id: string;
  readonly productId: string;
  readonly quantity: number;
  readonly status: 'PENDING' | 'CONFIRMED' | 'REJECTED' | 'CANCELLED';
  readonly rejectionReason: 'OUT_OF_STOCK' | 'UNKNOWN_PRODUCT' | null;
  readonly createdAt: string;
  readonly version: number;
  readonly cancelRequestedAt: string | null;
}

export interface OrdersData {
  readonly orderCursor: string;
  readonly orders: { readonly nodes: readonly OrderData[] };
}

export const ORDERS_CHANGED = `subscription OrdersChanged {
  ordersChanged { order { ${ORDER} } }
}`;

export interface OrdersChangedData {
  readonly ordersChanged: { readonly order: OrderData };
}

export const HISTORY_QUERY = `query History($id: ID!) {
  stock(id: $id) { movements(first: 100) { nodes { quantityAfter delta at } } }
}`;

export interface HistoryData {
  readonly stock: {
    readonly movements: {
      readonly nodes: readonly {
        readonly quantityAfter: number;
        readonly delta: number;
        readonly at: string;
      }[];
    };
  } | null;
}

export const CREATE_ORDER = `mutation Order($input: CreateOrderInput!) {
  createOrder(input: $input) { ${ORDER} }
}`;

export const CANCEL_ORDER = `mutation Cancel($id: ID!) {
  cancelOrder(id: $id) { ${ORDER} }
}`;

export const ADJUST_STOCK = `mutation Adjust($id: ID!, $delta: Int!, $reason: String) {
  adjustStock(id: $id, delta: $delta, reason: $reason) { id name quantity version }
}`;

export const ADD_STOCK = `mutation Add($input: AddStockInput!) {
  addStock(input: $input) { id name quantity version }
}`;
