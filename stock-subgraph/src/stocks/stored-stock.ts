import type { StockState } from '@gudang/events';

/** A stock's row: alive, or the tombstone of one that was deleted. */
export interface StoredStock extends StockState {
  readonly deletedAt: Date | null;
}
