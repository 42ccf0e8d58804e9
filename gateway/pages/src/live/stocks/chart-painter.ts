/** A chart that is painted when it is its turn. */
export interface PaintedChart {
  /** What it shows has changed. */
  readonly mark: () => void;
  readonly remove: () => void;
}

export interface ChartPainter {
  readonly add: (paint: () => void) => PaintedChart;
  /** Somebody scrolls: charts wait until that is over, and rows that pass by get none. */
  readonly hold: () => void;
}

const TURN_MS = 80;
/** Charts painted in one turn: with the turns, at most 50 a second, however much changes. */
const A_TURN = 4;
const HOLD_MS = 150;
const CHANGED_EVERY_MS = 400;
/** Time goes on in the chart of a stock that does not move, too. */
const UNCHANGED_EVERY_MS = 3_000;

interface Entry {
  readonly paint: () => void;
  changed: boolean;
  paintedAt: number;
}

/** Paints all charts of the page in turns, so that no frame pays for more than a few. */
export function createChartPainter(): ChartPainter {
  // In the order in which they were painted last: the first have waited longest.
  const entries = new Set<Entry>();
  let timer: ReturnType<typeof setInterval> | undefined;
  let heldUntil = 0;

  const turn = (): void => {
    const now = performance.now();
    if (document.hidden || now < heldUntil) return;
    const due = [...entries].filter(
      ({ changed, paintedAt }) =>
        now - paintedAt >= (changed ? CHANGED_EVERY_MS : UNCHANGED_EVERY_MS),
    );
    for (const entry of due.slice(0, A_TURN)) {
      entry.changed = false;
      entry.paintedAt = now;
      entries.delete(entry);
      entries.add(entry);
      entry.paint();
    }
  };

  return {
    hold: () => {
      heldUntil = performance.now() + HOLD_MS;
    },
    add: (paint) => {
      const entry: Entry = { paint, changed: true, paintedAt: Number.NEGATIVE_INFINITY };
      entries.add(entry);
      timer ??= setInterval(turn, TURN_MS);
      return {
        mark: () => {
          entry.changed = true;
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
