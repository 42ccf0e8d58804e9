/** A chart that is painted in turns with other charts. */
export interface PaintedChart {
  /** Marks the chart as changed, so that it is painted again. */
  readonly markChanged: () => void;
  readonly remove: () => void;
}

export interface ChartPainter {
  readonly add: (paint: () => void) => PaintedChart;
  /** Stops painting while the list is scrolled, so that rows that are only scrolled past get no chart. */
  readonly pauseForScroll: () => void;
}

const TURN_MS = 80;
/**
 * Number of charts painted per turn. At most 50 charts are thus painted per second, regardless of
 * the number of changing stocks.
 */
const CHARTS_PER_TURN = 4;
const SCROLL_PAUSE_MS = 150;
const CHANGED_EVERY_MS = 400;
/**
 * Interval between paintings of a chart without changes, in ms. Such a chart must be painted too,
 * because its time axis moves.
 */
const UNCHANGED_EVERY_MS = 3_000;

interface Entry {
  readonly paint: () => void;
  isChanged: boolean;
  paintedAt: number;
}

/** Paints all charts in turns, so that no frame paints more than a few charts. */
export function createChartPainter(): ChartPainter {
  // The entries are ordered by their last painting; the first entry has waited longest.
  const entries = new Set<Entry>();
  let timer: ReturnType<typeof setInterval> | undefined;
  let pausedUntil = 0;

  const paintTurn = (): void => {
    const now = performance.now();
    if (document.hidden || now < pausedUntil) return;
    const due = [...entries].filter(
      ({ isChanged, paintedAt }) =>
        now - paintedAt >= (isChanged ? CHANGED_EVERY_MS : UNCHANGED_EVERY_MS),
    );
    for (const entry of due.slice(0, CHARTS_PER_TURN)) {
      entry.isChanged = false;
      entry.paintedAt = now;
      entries.delete(entry);
      entries.add(entry);
      entry.paint();
    }
  };

  return {
    pauseForScroll: () => {
      pausedUntil = performance.now() + SCROLL_PAUSE_MS;
    },
    add: (paint) => {
      const entry: Entry = { paint, isChanged: true, paintedAt: Number.NEGATIVE_INFINITY };
      entries.add(entry);
      timer ??= setInterval(paintTurn, TURN_MS);
      return {
        markChanged: () => {
          entry.isChanged = true;
        },
        remove: () => {
          entries.delete(entry);
          if (entries.size > 0) return;
          clearInterval(timer);
          timer = undefined;
        },
      };
    },
  };
}
