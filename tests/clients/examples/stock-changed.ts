export const STOCK_CHANGED = `subscription StockChanged($after: String) {
  stockChanged(after: $after) { kind delta cursor stock { id name quantity version } }
}`;

export interface StockChange {
  readonly kind: string;
  readonly delta: number;
  readonly cursor: string;
  readonly stock: {
    readonly id: string;
    readonly name: string;
    readonly quantity: number;
    readonly version: number;
  };
}
