import { EventEmitter } from 'node:events';
import type { LeaveSignal } from '../sharing/leave-signal.ts';

/** There was no whole answer in time. */
export class TooLate extends Error {}
/** Whoever asked has gone away. */
export class NobodyWaits extends Error {}

/** Ends a request of undici; an emitter costs a fraction of an AbortSignal, twice that of any(). */
class Stop extends EventEmitter {
  aborted = false;
  reason: Error | undefined;

  abort(reason: Error): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    this.emit('abort');
  }
}

/**
 * Does something that ends in time, and when nobody waits for it any more: waiting for a connection,
 * headers and body together, since each by itself can be drawn out for ever.
 * @throws {TooLate} @throws {NobodyWaits}
 */
export async function withDeadline<T>(
  ms: number,
  signal: LeaveSignal | undefined,
  work: (stop: EventEmitter) => Promise<T>,
): Promise<T> {
  const stop = new Stop();
  const timer = setTimeout(() => stop.abort(new TooLate()), ms);
  const leave = (): void => stop.abort(new NobodyWaits());
  if (signal?.aborted) leave();
  signal?.addEventListener('abort', leave, { once: true });
  try {
    return await work(stop);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', leave);
  }
}
