import { ANONYMOUS, type Identity } from '@gudang/auth';
import { type Feed, formatCursor } from '@gudang/change-feed';
import type { StockState } from '@gudang/events';
import type { Page } from '@gudang/subgraph';
import DataLoader from 'dataloader';
import type { Database } from './database.ts';
import { findStocks } from './stocks/find-stocks.ts';
import { findMovementPages, type MovementRow } from './stocks/ledger.ts';

/** What the resolvers work with, made anew for each operation. */
export interface Context {
  readonly database: Database;
  readonly feed: Feed;
  /** Who asks, as the gateway has proved it. */
  readonly identity: Identity;
  /** What caused the operation, or it itself once it is traced: W3C, for what comes of it. */
  traceparent?: string | undefined;
  /** The position of the change stream, taken before this operation reads any row. */
  readonly cursor: string;
  /** Gathers the ids of one moment into one statement; keeps nothing, so that streams see the newest. */
  readonly stockById: DataLoader<string, StockState | undefined>;
  readonly movementsOf: (page: Page<number>) => DataLoader<string, MovementRow[]>;
  /** Called after each commit that wrote to the outbox. */
  readonly stored: () => void;
}

export type Parts = Pick<Context, 'database' | 'feed' | 'stored'>;

export function createContext(
  parts: Parts,
  identity: Identity = ANONYMOUS,
  traceparent?: string,
): Context {
  const { database, feed } = parts;
  const byPage = new Map<string, DataLoader<string, MovementRow[]>>();
  return {
    ...parts,
    identity,
    traceparent,
    cursor: formatCursor(feed.position()),
    stockById: new DataLoader((ids) => findStocks(database, ids), { cache: false }),
    movementsOf: (page) => {
      const key = JSON.stringify(page);
      const known = byPage.get(key);
      if (known) return known;
      const loader = new DataLoader<string, MovementRow[]>(
        (stockIds) => findMovementPages(database, stockIds, page),
        { cache: false },
      );
      byPage.set(key, loader);
      return loader;
    },
  };
}
