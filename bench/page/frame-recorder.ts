import type { Page } from 'playwright-core';

export interface Frames {
  /** Times between two frames, in ms, in order of length. */
  readonly frames: readonly number[];
  /** Lengths of the tasks of more than 50 ms, in ms. */
  readonly longTasks: readonly number[];
}

/** As text: what a compiler adds to a function is not there in the page. */
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

/** Begins to record frames and long tasks of a page. @returns what hands over those since the last time */
export async function recordFrames(page: Page): Promise<() => Promise<Frames>> {
  await page.evaluate(RECORD);
  return async () => {
    const { frames, longTasks } = (await page.evaluate(TAKE)) as Frames;
    return { frames: [...frames].sort((a, b) => a - b), longTasks };
  };
}
