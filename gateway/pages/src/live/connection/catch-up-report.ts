/** How long the page shows the result, in ms. */
const SHOWN_MS = 8_000;

/** Counts the stocks that changed while the page was disconnected. */
export interface CatchUpReport {
  /** Starts to count: the connection is open again. */
  readonly start: () => void;
  readonly add: (stocks: readonly { readonly id: string }[]) => void;
}

/**
 * @param countMs how long changes count as missed after a reconnect, in ms
 * @param report gets the number of stocks; undefined when the page no longer shows it
 */
export function createCatchUpReport(
  countMs: number,
  report: (stocks: number | undefined) => void,
): CatchUpReport {
  let missed: Set<string> | undefined;
  return {
    start: () => {
      const ids = new Set<string>();
      missed = ids;
      setTimeout(() => {
        missed = undefined;
        report(ids.size);
        setTimeout(() => report(undefined), SHOWN_MS);
      }, countMs);
    },
    add: (stocks) => {
      for (const { id } of stocks) missed?.add(id);
    },
  };
}
