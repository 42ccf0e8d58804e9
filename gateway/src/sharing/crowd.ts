/** Tells the listener when somebody waits no longer. */
export type OnLeave = (listener: () => void) => void;

/** Those who wait for the same. */
export interface Crowd {
  /** Aborted when the last of them has left. */
  readonly signal: AbortSignal;
  /** One more waits. @param onLeave undefined: to the end, whatever happens */
  readonly add: (onLeave: OnLeave | undefined) => void;
}

export function createCrowd(): Crowd {
  const aborting = new AbortController();
  let waiting = 0;
  const leave = (): void => {
    waiting -= 1;
    if (waiting === 0) aborting.abort();
  };
  return {
    signal: aborting.signal,
    add: (onLeave) => {
      waiting += 1;
      onLeave?.(leave);
    },
  };
}

export function onAbort(signal: AbortSignal | undefined): OnLeave | undefined {
  return signal && ((listener) => signal.addEventListener('abort', listener, { once: true }));
}
