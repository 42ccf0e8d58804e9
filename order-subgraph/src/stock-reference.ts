/** A stock as this subgraph knows it: by its id. */
export interface StockReference {
  readonly id: string;
}
