import { eventually } from '@gudang/testing/eventually';
import { expect } from 'vitest';
import type { StockChange } from './examples/stock-changed.ts';

/** What one client has been shown. */
export interface SeenChanges {
  readonly show: (change: StockChange) => void;
  /** Resolves once a stock was shown at this version, and throws unless every one before it was too. */
  readonly wholeUntil: (id: string, version: number) => Promise<void>;
}

export function createSeenChanges(client: string): SeenChanges {
  const seen: StockChange[] = [];
  const versionsOf = (id: string): number[] =>
    seen.filter(({ stock }) => stock.id === id).map(({ stock }) => stock.version);
  return {
    show: (change) => void seen.push(change),
    wholeUntil: async (id, version) => {
      await eventually(
        () => versionsOf(id).at(-1) ?? 0,
        (last) => last >= version,
        { until: `${client} is shown version ${version}` },
      );
      const all = Array.from({ length: version }, (_, index) => index + 1);
      expect(versionsOf(id), `${client} misses nothing and goes back nowhere`).toEqual(all);
    },
  };
}
