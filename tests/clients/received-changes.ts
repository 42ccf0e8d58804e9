import { eventually } from '@gudang/testing/eventually';
import { expect } from 'vitest';
import type { StockChange } from './examples/stock-changed.ts';

/** The changes that one client has received. */
export interface ReceivedChanges {
  readonly show: (change: StockChange) => void;
  /**
   * Resolves once the given version of a stock has arrived. Rejects if an earlier version is missing or
   * arrived out of order.
   */
  readonly completeUntil: (id: string, version: number) => Promise<void>;
}

export function createReceivedChanges(client: string): ReceivedChanges {
  const seen: StockChange[] = [];
  const versionsOf = (id: string): number[] =>
    seen.filter(({ stock }) => stock.id === id).map(({ stock }) => stock.version);
  return {
    show: (change) => void seen.push(change),
    completeUntil: async (id, version) => {
      await eventually(
        () => versionsOf(id).at(-1) ?? 0,
        (last) => last >= version,
        { until: `${client} receives version ${version}` },
      );
      const all = Array.from({ length: version }, (_, index) => index + 1);
      expect(versionsOf(id), `versions that ${client} received`).toEqual(all);
    },
  };
}
