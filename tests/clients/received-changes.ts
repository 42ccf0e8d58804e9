import { eventually } from '@gudang/testing/eventually';
import { expect } from 'vitest';
import type { StockChange } from './examples/stock-changed.ts';

/** Changes that one client received. */
export interface ReceivedChanges {
  readonly show: (change: StockChange) => void;
  /**
   * Resolves once a version of a stock arrived; throws unless all earlier versions arrived in
   * order.
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
