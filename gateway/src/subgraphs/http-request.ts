import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { RequestError } from '../errors/request-error.ts';
import type { AbortSignalLike } from '../request-deduplication/abort-signal.ts';

/** Thrown if no complete response has arrived in time. */
export class TimeoutError extends Error {}
/** Thrown if the caller no longer waits for the response. */
export class AbortedError extends Error {}
/** Thrown if the response is refused while it is received. */
export class RefusedError extends Error {
  readonly refusal: RequestError;
  constructor(refusal: RequestError) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

export interface HttpReply {
  readonly statusCode: number;
  readonly headers: IncomingHttpHeaders;
  /** The whole body, decoded as UTF-8. */
  readonly text: string;
  /** Size of the body. */
  readonly bytes: number;
}

/** Counts received bytes. @returns an error to refuse the response */
export type CountBytes = (bytes: number) => RequestError | undefined;

/**
 * Sends a request and reads the whole response. It uses undici's dispatcher, because request() and
 * body.text(), with a stream between them, took a tenth of the gateway's CPU time for a query. The
 * time-out covers the wait for a connection, the headers and the body together, because a subgraph
 * can delay each of them indefinitely.
 * @throws {TimeoutError} @throws {AbortedError} @throws {RefusedError}
 * @throws undici's errors of the connection
 */
export function sendRequest(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  {
    ms,
    signal,
    count,
    onReleased,
  }: {
    readonly ms: number;
    readonly count: CountBytes;
    readonly signal?: AbortSignalLike | undefined;
    /**
     * Called when the dispatcher has released the request. For a queued request, this may be after
     * its promise has settled.
     */
    readonly onReleased: () => void;
  },
): Promise<HttpReply> {
  return new Promise((resolve, reject) => {
    const collector = new ReplyCollector(resolve, reject, count, onReleased);
    let expired: NodeJS.Immediate | undefined;
    const timer = setTimeout(() => {
      // After a stall of the event loop, timers run before the answers that have arrived are read. This
      // gateway's own stall is no time-out of the subgraph.
      expired = setImmediate(() => collector.stop(new TimeoutError()));
    }, ms);
    const onAbort = (): void => collector.stop(new AbortedError());
    collector.onEnd = () => {
      clearTimeout(timer);
      clearImmediate(expired);
      signal?.removeEventListener('abort', onAbort);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) onAbort();
    dispatcher.dispatch(request, collector);
  });
}

/** Receives undici's events of one request. */
class ReplyCollector implements Dispatcher.DispatchHandler {
  onEnd: () => void = () => {};
  private readonly resolve: (reply: HttpReply) => void;
  private readonly reject: (error: Error) => void;
  private readonly count: CountBytes;
  private readonly onReleased: () => void;
  private controller: Dispatcher.DispatchController | undefined;
  private stopped: Error | undefined;
  private statusCode = 0;
  private headers: IncomingHttpHeaders = {};
  private readonly chunks: Buffer[] = [];

  constructor(
    resolve: (reply: HttpReply) => void,
    reject: (error: Error) => void,
    count: CountBytes,
    onReleased: () => void,
  ) {
    this.resolve = resolve;
    this.reject = reject;
    this.count = count;
    this.onReleased = onReleased;
  }

  /**
   * Rejects the promise at once. A request that still waits for a connection is aborted when it
   * gets one.
   */
  stop(reason: Error): void {
    this.stopped ??= reason;
    this.fail(reason);
    this.controller?.abort(reason);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    if (this.stopped) controller.abort(this.stopped);
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: IncomingHttpHeaders,
  ): void {
    this.statusCode = statusCode;
    this.headers = headers;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const refusal = this.count(chunk.length);
    if (refusal) {
      this.chunks.length = 0;
      this.stop(new RefusedError(refusal));
    } else if (!this.stopped) this.chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.onReleased();
    this.onEnd();
    const [first] = this.chunks;
    const whole = this.chunks.length === 1 && first ? first : Buffer.concat(this.chunks);
    this.resolve({
      statusCode: this.statusCode,
      headers: this.headers,
      text: whole.toString(),
      bytes: whole.length,
    });
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
