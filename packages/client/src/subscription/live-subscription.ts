import { ClientError, type GraphQLErrorLike } from '../client-error.ts';
import type { Attempt, Connectable, Connector } from '../connection/connector.ts';
import type { Loss, OperationRequest, OperationResult, OperationSink } from '../connection/link.ts';
import { RetryTimer } from '../connection/retry-timer.ts';
import type { ConnectionState, SubscribeHandlers } from '../live-client.ts';
import type { LiveEvent } from '../live-event.ts';
import { call } from './call.ts';
import { markerOf, readMessage } from './read-message.ts';
import { CONNECTING, isSame, type StateBoard, type Status } from './state-board.ts';

export interface SubscriptionOptions {
  readonly connector: Connector;
  readonly board: StateBoard<LiveSubscription>;
  /** The operation and its variables. */
  readonly request: Pick<OperationRequest, 'query' | 'variables'>;
  readonly handlers: SubscribeHandlers<unknown>;
  readonly maxRetryDelay: number | undefined;
}

/**
 * A subscription that resumes from the last event.
 *
 * - `connected`: a member of the connector, which starts its operation on each connection.
 * - `postponed`: the server cannot execute the operation now. → `connected` after a delay.
 * - `paused`: the consumer is slow. → `connected` when it has read everything.
 * - `ended`: final. No handler is called.
 */
export class LiveSubscription implements Connectable, OperationSink {
  status: Status = CONNECTING;
  readonly #options: SubscriptionOptions;
  readonly #retry: RetryTimer;
  #cursor: string | undefined;
  /** Whether everything up to the present was received on this connection. */
  #isCurrent = false;
  /** Whether a snapshot has begun, on this or an earlier connection. */
  #isInSnapshot = false;
  #hasEnded = false;
  /**
   * Events that are delivered together; those of a lost connection are sent again. A snapshot begins with its
   * first row: if the connection is lost before, it may not be continued.
   */
  #group: LiveEvent<unknown>[] = [];
  #attempt: Attempt | undefined;
  #stopOperation: (() => void) | undefined;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
    const { board, connector, handlers, maxRetryDelay } = options;
    this.#cursor = handlers.after ?? undefined;
    this.#retry = new RetryTimer(() => connector.add(this), maxRetryDelay);
    board.subscriptions.add(this);
    board.update();
    handlers.signal?.addEventListener('abort', this.close);
    if (handlers.signal?.aborted) this.close();
    // Later, so that no handler is called before the app has the function that unsubscribes.
    queueMicrotask(() => this.resume());
  }

  /** Ends the subscription. */
  readonly close = (): void => {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const { board, handlers } = this.#options;
    this.#leave();
    board.subscriptions.delete(this);
    board.update();
    handlers.signal?.removeEventListener('abort', this.close);
  };

  fail(error: ClientError): void {
    if (this.#hasEnded) return;
    this.close();
    call(this.#options.handlers.error, error);
  }

  /** Leaves the connection until `resume`, and then continues after the last event. */
  pause(): void {
    this.#leave();
    this.show('catching-up', null);
  }

  resume(): void {
    if (!this.#hasEnded) this.#options.connector.add(this);
  }

  start(attempt: Attempt): void {
    const after = this.#cursor;
    const live = { positions: true as const, after };
    this.#attempt = attempt;
    this.#group = [];
    this.#isCurrent = after === undefined;
    const stop = attempt.link.run({ ...this.#options.request, extensions: { live } }, this);
    // The subscription may have been closed by a handler of the state.
    if (this.#hasEnded) stop();
    else this.#stopOperation = stop;
  }

  stop(): void {
    this.#stopOperation?.();
    this.#stopOperation = undefined;
  }

  show(state: ConnectionState, reason: ClientError | null): void {
    const status = { state, reason };
    if (this.#hasEnded || isSame(this.status, status)) return;
    this.status = status;
    this.#options.board.update();
    call(this.#options.handlers.state, state, reason);
  }

  opened(): void {
    if (this.#attempt) this.#options.connector.opened(this.#attempt);
    this.#showState();
  }

  next(result: OperationResult): void {
    const message = readMessage(result);
    if (this.#attempt) this.#attempt.hasDelivered = true;
    this.#retry.succeed();
    if (!message) return;
    if ('position' in message) this.#reach(message.position);
    else {
      this.#group.push(message.event);
      if (!message.more) this.#deliver();
    }
  }

  rejected(errors: readonly GraphQLErrorLike[]): void {
    const error = ClientError.of(errors);
    const { connector } = this.#options;
    if (error.code === 'UNAUTHENTICATED' && this.#attempt?.link.token) {
      connector.lost(this, { isRefused: true, detail: error.message });
    } else if (error.retryable) {
      this.#leave();
      this.show('offline', error);
      this.#retry.fail();
    } else this.fail(error);
  }

  complete(): void {
    this.close();
    call(this.#options.handlers.complete);
  }

  lost(loss: Loss): void {
    this.#options.connector.lost(this, loss);
  }

  /** Leaves the connection until the subscription is added again. */
  #leave(): void {
    this.stop();
    this.#retry.stop();
    this.#options.connector.remove(this);
  }

  /** Delivers the group, whose last event has the cursor after all of them. */
  #deliver(): void {
    const events = this.#group;
    this.#group = [];
    this.#cursor = events.at(-1)?.cursor ?? this.#cursor;
    for (const event of events) {
      if (event.snapshot) {
        const isBegin = event.snapshot.phase === 'begin';
        // The end is sent again to a client that continues after the last row.
        if (!isBegin && !this.#isInSnapshot) continue;
        this.#isInSnapshot = isBegin;
        this.#showState();
      }
      if (!this.#hasEnded) call(this.#options.handlers.next, event);
    }
  }

  #reach(position: string): void {
    this.#cursor = position;
    this.#isCurrent = true;
    // No further row can come, so a consumer must not wait for the end.
    this.#group.push(markerOf({ phase: 'end', complete: false, reset: false }));
    this.#deliver();
    this.#showState();
  }

  #showState(): void {
    const isLive = this.#isCurrent && !this.#isInSnapshot;
    this.show(isLive ? 'live' : 'catching-up', null);
  }
}
