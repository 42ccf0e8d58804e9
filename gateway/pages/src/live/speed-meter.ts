import { createSignal, type Signal } from '../signal.ts';

/** How long it takes until a change is painted. */
export interface Speed {
  /** Last order of this page: from the button press until its result was painted, in ms. */
  readonly orderMs: number | undefined;
  /** Median from the commit of a change until it was painted, in ms. It compares two clocks. */
  readonly changeMs: number | undefined;
  /** Average of the last 5 seconds. */
  readonly changesPerSecond: number;
}

export interface SpeedMeter {
  readonly speed: Signal<Speed>;
  readonly recordOrder: (ms: number) => void;
  readonly recordChanges: (count: number, ms: number) => void;
  /** Ignores the times of changes that waited for a connection. @param forMs from now */
  readonly ignoreTimes: (forMs: number) => void;
}

const UPDATE_MS = 1_000;
const WINDOW_SECONDS = 5;
const SAMPLES = 50;
/** A longer time means that the clocks of server and browser differ. */
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
  let ignoredUntil = 0;

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
      if (performance.now() < ignoredUntil || ms < 0 || ms > LONGEST_MS) return;
      samples.push(ms);
      if (samples.length > SAMPLES) samples.shift();
    },
    ignoreTimes: (forMs) => {
      ignoredUntil = performance.now() + forMs;
    },
  };
}
