/** The kind of a stock's change and of its ledger entry. */
export type StockChangeKind =
  | 'CREATED'
  | 'ORDERED'
  | 'RETURNED'
  | 'ADJUSTED'
  | 'UPDATED'
  | 'DELETED';

/** The stored state of a stock; for a deleted stock, its last state. */
export interface StockState {
  readonly id: string;
  readonly name: string;
  readonly quantity: number;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A change of a stock, with the state of the stock after the change. */
export interface StockChanged {
  readonly stock: StockState;
  readonly kind: StockChangeKind;
  /** The quantity after this change minus the quantity before it. */
  readonly delta: number;
  /** The order of an ORDERED or RETURNED change; null for other kinds. */
  readonly orderId: string | null;
}

export function encodeStockChanged({ stock, kind, delta, orderId }: StockChanged): string {
  return JSON.stringify({
    id: stock.id,
    name: stock.name,
    quantity: stock.quantity,
    version: stock.version,
    created_at: stock.createdAt.toISOString(),
    updated_at: stock.updatedAt.toISOString(),
    kind,
    delta,
    order_id: orderId,
  });
}

/** Decodes without validation: only this system writes to the topic. */
export function decodeStockChanged(value: Uint8Array): StockChanged {
  const change = JSON.parse(Buffer.from(value).toString());
  return {
    stock: {
      id: change.id,
      name: change.name,
      quantity: change.quantity,
      version: change.version,
      createdAt: new Date(change.created_at),
      updatedAt: new Date(change.updated_at),
    },
    kind: change.kind,
    delta: change.delta,
    orderId: change.order_id,
  };
}
