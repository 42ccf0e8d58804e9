import { createSignal, type Signal } from '../signal.ts';

/** Times until orders and changes are painted, and the rate of changes. */
export interface Speed {
  /** Time from the button press until the result of this page's last order was painted, in ms. */
  readonly orderMs: number | undefined;
  /**
   * Median time from a change's commit to its paint, in ms. It includes the difference between the
   * clocks of server and browser.
   */
  readonly changeMs: number | undefined;
  /** Average number of changes per second over the last 5 seconds. */
  readonly changesPerSecond: number;
}

export interface SpeedMeter {
  readonly speed: Signal<Speed>;
  readonly recordOrder: (ms: number) => void;
  /** @param ms undefined if the changes have waited for the connection */
  readonly recordChanges: (count: number, ms: number | undefined) => void;
}

const UPDATE_MS = 1_000;
const WINDOW_SECONDS = 5;
const SAMPLES = 50;
/**
 * Longest measured time that is included, in ms. A longer time means that the clocks of server and
 * browser differ.
 */
const LONGEST_MS = 60_000;

export function createSpeedMeter(): SpeedMeter {
  const speed = createSignal<Speed>({
    orderMs: undefined,
    changeMs: undefined,
    changesPerSecond: 0,
  });
  const counts: number[] = Array.from({ length: WINDOW_SECONDS }, () => 0);
  const samples: number[] = [];
  let orderMs: number | undefined;
  let current = 0;

  setInterval(() => {
    counts.shift();
    counts.push(current);
    current = 0;
    const changesPerSecond = counts.reduce((sum, count) => sum + count, 0) / WINDOW_SECONDS;
    const changeMs = [...samples].sort((a, b) => a - b)[samples.length >> 1];
    const shown = speed.get();
    const isSame = shown.changesPerSecond === changesPerSecond && shown.changeMs === changeMs;
    if (!isSame || shown.orderMs !== orderMs) speed.set({ orderMs, changeMs, changesPerSecond });
  }, UPDATE_MS);

  return {
    speed,
    recordOrder: (ms) => {
      orderMs = ms;
      speed.set({ ...speed.get(), orderMs });
    },
    recordChanges: (count, ms) => {
      current += count;
      if (ms === undefined || ms < 0 || ms > LONGEST_MS) return;
      samples.push(ms);
      if (samples.length > SAMPLES) samples.shift();
    },
  };
}
