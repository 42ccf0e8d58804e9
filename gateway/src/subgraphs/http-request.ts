import type { Dispatcher } from 'undici';
import type { AbortSignalLike } from '../request-deduplication/abort-signal.ts';

/** There was no whole answer in time. */
export class TimeoutError extends Error {}
/** Whoever asked has gone away. */
export class AbortedError extends Error {}

export interface Reply {
  readonly statusCode: number;
  /** The whole body, read as UTF-8. */
  readonly text: string;
}

/**
 * Sends a request and reads the whole answer: undici's request() and body.text() without a stream
 * between them, which were a tenth of the gateway's CPU for a query. It ends in time, and when nobody
 * waits for it any more: waiting for a connection, headers and body together, since each by itself
 * can be drawn out for ever.
 * @throws {TimeoutError} @throws {AbortedError} @throws what undici says of the connection
 */
export function exchange(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  {
    ms,
    signal,
    onReleased,
  }: {
    readonly ms: number;
    readonly signal?: AbortSignalLike | undefined;
    /** The dispatcher holds nothing of it any more: one that waits for a connection may outlast its promise. */
    readonly onReleased: () => void;
  },
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const collector = new Collector(resolve, reject, onReleased);
    const timer = setTimeout(() => collector.stop(new TimeoutError()), ms);
    const leave = (): void => collector.stop(new AbortedError());
    collector.onEnd = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', leave);
    };
    signal?.addEventListener('abort', leave, { once: true });
    if (signal?.aborted) leave();
    dispatcher.dispatch(request, collector);
  });
}

/** What undici tells of one request. */
class Collector implements Dispatcher.DispatchHandler {
  onEnd: () => void = () => {};
  private readonly resolve: (reply: Reply) => void;
  private readonly reject: (error: Error) => void;
  private readonly onReleased: () => void;
  private controller: Dispatcher.DispatchController | undefined;
  private stopped: Error | undefined;
  private statusCode = 0;
  private readonly chunks: Buffer[] = [];

  constructor(
    resolve: (reply: Reply) => void,
    reject: (error: Error) => void,
    onReleased: () => void,
  ) {
    this.resolve = resolve;
    this.reject = reject;
    this.onReleased = onReleased;
  }

  /** One that still waits for a connection is told at once, and taken back when its turn comes. */
  stop(reason: Error): void {
    this.stopped ??= reason;
    this.fail(reason);
    this.controller?.abort(reason);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    if (this.stopped) controller.abort(this.stopped);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, statusCode: number): void {
    this.statusCode = statusCode;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.onReleased();
    this.onEnd();
    const [first] = this.chunks;
    const whole = this.chunks.length === 1 && first ? first : Buffer.concat(this.chunks);
    this.resolve({ statusCode: this.statusCode, text: whole.toString() });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.onReleased();
    this.fail(error);
  }

  private fail(error: Error): void {
    this.onEnd();
    this.reject(error);
  }
}
