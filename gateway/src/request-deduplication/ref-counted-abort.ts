import { type AbortSignalLike, LightAbortController } from './abort-signal.ts';

/** Tells the listener when somebody waits no longer. */
export type OnLeave = (listener: () => void) => void;

/** Those who wait for the same. */
export interface Crowd {
  /** Aborted when the last of them has left. */
  readonly signal: AbortSignalLike;
  /** One more waits. @param onLeave undefined: to the end, whatever happens */
  readonly add: (onLeave: OnLeave | undefined) => void;
}

export function createCrowd(): Crowd {
  const signal = new LightAbortController();
  let waiting = 0;
  const leave = (): void => {
    waiting -= 1;
    if (waiting === 0) signal.abort();
  };
  return {
    signal,
    add: (onLeave) => {
      waiting += 1;
      onLeave?.(leave);
    },
  };
}

export function onAbort(signal: AbortSignalLike | undefined): OnLeave | undefined {
  return signal && ((listener) => signal.addEventListener('abort', listener, { once: true }));
}
