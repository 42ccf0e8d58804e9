import type { Page } from 'playwright-core';

export interface Frames {
  /** Times between two frames in ms, ascending. */
  readonly frames: readonly number[];
  /** Durations of tasks longer than 50 ms, in ms. */
  readonly longTasks: readonly number[];
}

/**
 * Script that runs in the page. It is a string instead of a function, because a compiler may make a
 * function call helpers that do not exist in the page.
 */
const RECORD = `(() => {
  const recorded = { frames: [], longTasks: [] };
  let last;
  const frame = (at) => {
    if (last !== undefined) recorded.frames.push(at - last);
    last = at;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) recorded.longTasks.push(duration);
  }).observe({ type: 'longtask' });
  window.recordedFrames = recorded;
})()`;
const TAKE = `(() => {
  const { frames, longTasks } = window.recordedFrames;
  return { frames: frames.splice(0), longTasks: longTasks.splice(0) };
})()`;

/**
 * Records frames and long tasks of a page.
 * @returns a function that returns the records since its last call
 */
export async function recordFrames(page: Page): Promise<() => Promise<Frames>> {
  await page.evaluate(RECORD);
  return async () => {
    const { frames, longTasks } = (await page.evaluate(TAKE)) as Frames;
    return { frames: [...frames].sort((a, b) => a - b), longTasks };
  };
}
