import { createContext, type ReactNode, useContext } from 'react';
import { type LiveSession, startLiveSession } from './live-session.ts';
import { type Backfill, createBackfill } from './stocks/backfill.ts';
import { type ChartPainter, createChartPainter } from './stocks/chart-painter.ts';
import { type ChartWindow, createChartWindow } from './stocks/chart-window.ts';

export interface Live extends LiveSession {
  readonly painter: ChartPainter;
  readonly backfill: Backfill;
  readonly chartWindow: ChartWindow;
}

const LiveContext = createContext<Live | undefined>(undefined);

/** Starts following the graph; it goes on for as long as the page is open. */
export function startLive(): Live {
  const session = startLiveSession();
  return {
    ...session,
    painter: createChartPainter(),
    backfill: createBackfill(session.stocks),
    chartWindow: createChartWindow(),
  };
}

export function LiveProvider({ live, children }: { live: Live; children: ReactNode }) {
  return <LiveContext value={live}>{children}</LiveContext>;
}

/** What the page shows. @throws outside a LiveProvider */
export function useLive(): Live {
  const live = useContext(LiveContext);
  if (!live) throw new Error('useLive() needs a LiveProvider around it');
  return live;
}
