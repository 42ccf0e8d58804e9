import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useSyncExternalStore,
} from 'react';
import type { Signal } from '../signal.ts';
import { type LiveSession, startLiveSession } from './live-session.ts';
import { type Backfill, createBackfill } from './stocks/backfill.ts';
import { type ChartPainter, createChartPainter } from './stocks/chart-painter.ts';
import { type ChartWindow, createChartWindow } from './stocks/stock-history.ts';
import type { ShownStock } from './stocks/stock-store.ts';

export interface Live extends LiveSession {
  readonly painter: ChartPainter;
  readonly backfill: Backfill;
  readonly chartWindow: ChartWindow;
}

const LiveContext = createContext<Live | undefined>(undefined);

/**
 * Starts the page's live session and creates the state of its charts. The session lasts until the
 * page is closed.
 */
export function startLive(): Live {
  const session = startLiveSession();
  return {
    ...session,
    painter: createChartPainter(),
    backfill: createBackfill(session.client, session.stocks),
    chartWindow: createChartWindow(),
  };
}

export function LiveProvider({ live, children }: { live: Live; children: ReactNode }) {
  return <LiveContext value={live}>{children}</LiveContext>;
}

/** @throws outside a LiveProvider */
export function useLive(): Live {
  const live = useContext(LiveContext);
  if (!live) throw new Error('useLive() needs a LiveProvider around it');
  return live;
}

export function useSignal<T>({ subscribe, get }: Signal<T>): T {
  return useSyncExternalStore(subscribe, get);
}

/** Renders a component again only when the selected part of a stock changes. */
export function useStock<T>(id: string, select: (stock: ShownStock | undefined) => T): T {
  const { stocks } = useLive();
  const subscribe = useCallback(
    (listener: () => void) => stocks.subscribe(id, listener),
    [id, stocks],
  );
  return useSyncExternalStore(subscribe, () => select(stocks.get(id)));
}
