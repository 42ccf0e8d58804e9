import { ANONYMOUS, type Identity } from '@gudang/auth';
import type { ChangeFeed, Cursor } from '@gudang/change-feed';
import type { StockState } from '@gudang/events';
import type { Page } from '@gudang/subgraph';
import DataLoader from 'dataloader';
import type { Database } from './database.ts';
import type { DecisionLoader } from './decisions/find-decisions.ts';
import { findStocks } from './stocks/find-stocks.ts';
import { findMovementPages, type MovementRow } from './stocks/ledger.ts';

/** The context of one operation. */
export interface Context {
  readonly database: Database;
  readonly changeFeed: ChangeFeed;
  /** The caller, as reported by the gateway. */
  readonly identity: Identity;
  /**
   * W3C traceparent to propagate: the traceparent of the operation's span, or of the operation's cause if
   * the operation is not traced.
   */
  traceparent?: string | undefined;
  /** The position of the change feed, taken before this operation reads any data. */
  readonly position: Cursor;
  /**
   * Loads stocks, with one statement for all ids that are requested in the same tick. The loader does not
   * cache stocks, so a subscription reads the current state at each event.
   */
  readonly stockById: DataLoader<string, StockState | undefined>;
  readonly movementsOf: (page: Page<number>) => DataLoader<string, MovementRow[]>;
  readonly decisionById: DecisionLoader;
  /** Maximum age of a cursor after which a stream with a filter sends a snapshot, in milliseconds. */
  readonly snapshotAgeMs: number;
  /**
   * Makes the relay send new outbox rows immediately. It must be called after each commit that wrote
   * outbox rows.
   */
  readonly notifyRelay: () => void;
}

export type Parts = Pick<
  Context,
  'database' | 'changeFeed' | 'decisionById' | 'snapshotAgeMs' | 'notifyRelay'
>;

export function createContext(
  parts: Parts,
  identity: Identity = ANONYMOUS,
  traceparent?: string,
): Context {
  const { database, changeFeed } = parts;
  const byPage = new Map<string, DataLoader<string, MovementRow[]>>();
  return {
    ...parts,
    identity,
    traceparent,
    position: changeFeed.position(),
    stockById: new DataLoader((ids) => findStocks(database, ids), { cache: false }),
    movementsOf: (page) => {
      const key = JSON.stringify(page);
      const existing = byPage.get(key);
      if (existing) return existing;
      const loader = new DataLoader<string, MovementRow[]>(
        (stockIds) => findMovementPages(database, stockIds, page),
        { cache: false },
      );
      byPage.set(key, loader);
      return loader;
    },
  };
}
