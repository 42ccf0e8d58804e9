import type { ServerResponse } from 'node:http';
import { type AbortSignalLike, LightAbortController } from './abort-signal.ts';

/** Registers a listener that is called when a waiter no longer needs the result. */
export type OnAbort = (listener: () => void) => void;

/** Aborts shared work once all its waiters have left. */
export interface RefCountedAbort {
  readonly signal: AbortSignalLike;
  /** Adds a waiter. @param onAbort undefined for a waiter that waits until the work ends */
  readonly retain: (onAbort: OnAbort | undefined) => void;
}

export function createRefCountedAbort(): RefCountedAbort {
  const signal = new LightAbortController();
  let waiters = 0;
  const release = (): void => {
    waiters -= 1;
    if (waiters === 0) signal.abort();
  };
  return {
    signal,
    retain: (onAbort) => {
      waiters += 1;
      onAbort?.(release);
    },
  };
}

export function whenAborted(signal: AbortSignalLike | undefined): OnAbort | undefined {
  return signal && ((listener) => signal.addEventListener('abort', listener, { once: true }));
}

/**
 * Returns a function that registers listeners. They are called if the client disconnects before its
 * answer has been sent.
 */
export function onDisconnect(response: ServerResponse): OnAbort {
  return (listener) => {
    response.once('close', () => {
      if (!response.writableFinished) listener();
    });
  };
}
