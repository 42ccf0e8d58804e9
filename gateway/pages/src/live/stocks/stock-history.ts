/** How far back charts show, in seconds. */
export const SHOWN_SECONDS = 300;
/** Quantities of the same moment count as one, in seconds: what a chart of this width can show. */
const MOMENT_SECONDS = 2;

/** Quantities over time, as uPlot takes them. */
export interface StockHistory {
  /** Seconds since 1970, rising. */
  readonly times: number[];
  readonly quantities: number[];
}

export function startHistory(quantity: number, at: number): StockHistory {
  return { times: [at], quantities: [quantity] };
}

/** Notes a quantity, and drops what is no longer shown: at most 150 points are kept. */
export function note({ times, quantities }: StockHistory, quantity: number, at: number): void {
  const last = times.length - 1;
  // The first point is where the line begins: a change right after it is a step of its own.
  if (last > 0 && at - (times[last] ?? 0) < MOMENT_SECONDS) {
    quantities[last] = quantity;
    return;
  }
  times.push(at);
  quantities.push(quantity);
  const from = at - SHOWN_SECONDS;
  let gone = 0;
  // One older point stays: the line comes in from the left edge at its height.
  while ((times[gone + 1] ?? at) < from) gone += 1;
  if (gone > 0) {
    times.splice(0, gone);
    quantities.splice(0, gone);
  }
}

/** Puts what is known of earlier times before what was seen: points newest first, as the ledger gives them. */
export function prepend(
  { times, quantities }: StockHistory,
  earlier: readonly { readonly at: number; readonly quantity: number }[],
): void {
  const begin = times[0] ?? Number.POSITIVE_INFINITY;
  const older = earlier.filter(({ at }) => at < begin).reverse();
  times.unshift(...older.map(({ at }) => at));
  quantities.unshift(...older.map(({ quantity }) => quantity));
}

/** The points and one more for now, so that the line reaches the right edge. */
export function untilNow(history: StockHistory, now: number): [number[], number[]] {
  return [
    [...history.times, now],
    [...history.quantities, history.quantities.at(-1) ?? 0],
  ];
}
