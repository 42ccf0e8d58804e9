import { createSignal, type Signal } from '../signal.ts';

/** How fast what happens is on the screen. */
export interface Speed {
  /** Of the last order of this page, from the press of its button, in ms. */
  readonly orderMs: number | undefined;
  /** From a change's commit to the screen, the median of the last ones, in ms; by both clocks. */
  readonly changeMs: number | undefined;
  /** Changes a second, over the last seconds. */
  readonly changesPerSecond: number;
}

export interface SpeedMeter {
  readonly speed: Signal<Speed>;
  readonly sawOrder: (ms: number) => void;
  readonly sawChanges: (count: number, ms: number) => void;
  /** What comes next has waited for a connection: its time says nothing. */
  readonly leaveOut: (forMs: number) => void;
}

const SHOW_EVERY_MS = 1_000;
const WINDOW_SECONDS = 5;
const SAMPLES = 50;
/** Beyond, the two clocks differ. */
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
  let countedFrom = 0;

  setInterval(() => {
    counts.shift();
    counts.push(current);
    current = 0;
    const changesPerSecond = counts.reduce((sum, count) => sum + count, 0) / WINDOW_SECONDS;
    const changeMs = [...samples].sort((a, b) => a - b)[samples.length >> 1];
    const shown = speed.get();
    const same = shown.changesPerSecond === changesPerSecond && shown.changeMs === changeMs;
    if (!same || shown.orderMs !== orderMs) speed.set({ orderMs, changeMs, changesPerSecond });
  }, SHOW_EVERY_MS);

  return {
    speed,
    sawOrder: (ms) => {
      orderMs = ms;
      speed.set({ ...speed.get(), orderMs });
    },
    sawChanges: (count, ms) => {
      current += count;
      if (performance.now() < countedFrom || ms < 0 || ms > LONGEST_MS) return;
      samples.push(ms);
      if (samples.length > SAMPLES) samples.shift();
    },
    leaveOut: (forMs) => {
      countedFrom = performance.now() + forMs;
    },
  };
}
