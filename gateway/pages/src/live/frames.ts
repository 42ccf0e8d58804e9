/** How long a page that nobody looks at waits: it gets no frames. */
const HIDDEN_MS = 1_000;

/**
 * Runs a task once before the next frame, however often it is asked to: one render a frame, with
 * any number of changes a second.
 */
export function onNextFrame(task: () => void): () => void {
  let planned = false;
  const run = (): void => {
    planned = false;
    task();
  };
  return () => {
    if (planned) return;
    planned = true;
    if (document.hidden) setTimeout(run, HIDDEN_MS);
    else requestAnimationFrame(run);
  };
}

/** Calls back once the frame that is being made has been painted. */
export function afterPaint(callback: () => void): void {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    callback();
  };
  requestAnimationFrame(() => port2.postMessage(undefined));
}
