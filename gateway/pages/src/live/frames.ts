/** Delay in a hidden tab, in ms. A hidden tab gets no animation frames. */
const HIDDEN_MS = 1_000;

/**
 * Returns a function that runs the task once before the next frame, however often it is called. A
 * page therefore renders at most once per frame, regardless of the number of changes per second.
 */
export function onNextFrame(task: () => void): () => void {
  let isScheduled = false;
  const run = (): void => {
    isScheduled = false;
    task();
  };
  return () => {
    if (isScheduled) return;
    isScheduled = true;
    if (document.hidden) setTimeout(run, HIDDEN_MS);
    else requestAnimationFrame(run);
  };
}

/** Calls back after the current frame was painted. */
export function afterPaint(callback: () => void): void {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    callback();
  };
  requestAnimationFrame(() => port2.postMessage(undefined));
}

/** Returns a function that runs the task once after the delay, however often it is called meanwhile. */
export function throttled(task: () => void, delayMs: number): () => void {
  let isScheduled = false;
  return () => {
    if (isScheduled) return;
    isScheduled = true;
    setTimeout(() => {
      isScheduled = false;
      task();
    }, delayMs);
  };
}
