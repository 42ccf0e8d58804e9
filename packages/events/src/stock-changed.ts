/** What happened to a stock; a ledger entry has one of these too. */
export type StockChangeKind = 'CREATED' | 'ORDERED' | 'ADJUSTED' | 'UPDATED' | 'DELETED';

/** A stock as it is stored; of a deleted one, the last state. */
export interface StockState {
  readonly id: string;
  readonly name: string;
  readonly quantity: number;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** One change of a stock, and the stock as of that change. */
export interface StockChanged {
  readonly stock: StockState;
  readonly kind: StockChangeKind;
  /** What this change alone added to the quantity. */
  readonly delta: number;
  /** Of an ORDERED change. */
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

/** Reads what `encodeStockChanged` wrote: the topic is ours alone, so its shape is not checked. */
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
