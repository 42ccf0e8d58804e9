import type { ClientError } from '../client-error.ts';
import type { SubscribeHandlers } from '../live-client.ts';
import type { LiveEvent } from '../live-event.ts';

/** What the iterator needs of its subscription. */
export interface IteratedSubscription {
  close(): void;
  pause(): void;
  resume(): void;
}

type Subscribe = (
  handlers: Required<Pick<SubscribeHandlers<unknown>, 'next' | 'error' | 'complete'>>,
) => IteratedSubscription;

type Result = IteratorResult<LiveEvent<unknown>, undefined>;

const DONE: Result = { done: true, value: undefined };

/**
 * Ends the subscriptions of iterators that the app has dropped without `return`. Without it, a connection
 * would stay open for events that no one can read.
 */
const dropped = globalThis.FinalizationRegistry
  ? new FinalizationRegistry<EventQueue>((queue) => queue.end())
  : undefined;

/**
 * Events that wait for the consumer. When there are too many, the subscription is paused, and continues
 * after the last event of the queue when the queue is empty. So a consumer of any speed misses nothing,
 * and the memory is bounded.
 */
class EventQueue {
  readonly #limit: number;
  #events: LiveEvent<unknown>[] = [];
  #readers: { resolve(result: Result): void; reject(error: ClientError): void }[] = [];
  #subscription: IteratedSubscription | undefined;
  #isPaused = false;
  #hasEnded = false;
  #error: ClientError | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  start(subscribe: Subscribe): void {
    if (this.#subscription || this.#hasEnded) return;
    this.#subscription = subscribe({
      next: (event) => this.#add(event),
      error: (error) => {
        this.#error = error;
        this.#finish();
      },
      complete: () => this.#finish(),
    });
  }

  read(): Promise<Result> {
    const value = this.#events.shift();
    if (value) {
      this.#continue();
      return Promise.resolve({ done: false, value });
    }
    if (!this.#hasEnded) {
      return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
    }
    const error = this.#error;
    this.#error = undefined;
    return error ? Promise.reject(error) : Promise.resolve(DONE);
  }

  /** Drops all events, and ends the subscription. */
  end(): void {
    this.#events = [];
    this.#subscription?.close();
    this.#finish();
  }

  #add(event: LiveEvent<unknown>): void {
    const reader = this.#readers.shift();
    if (reader) {
      reader.resolve({ done: false, value: event });
      return;
    }
    if (this.#events.push(event) < this.#limit) return;
    this.#isPaused = true;
    this.#subscription?.pause();
  }

  #continue(): void {
    if (!this.#isPaused || this.#events.length > 0) return;
    this.#isPaused = false;
    this.#subscription?.resume();
  }

  #finish(): void {
    this.#hasEnded = true;
    for (const { resolve, reject } of this.#readers.splice(0)) {
      if (this.#error) reject(this.#error);
      else resolve(DONE);
      this.#error = undefined;
    }
  }
}

/** Iterates over the events of one subscription, which begins with the first `next`. */
export class LiveIterator implements AsyncIterableIterator<LiveEvent<unknown>, undefined> {
  readonly #queue: EventQueue;
  readonly #subscribe: Subscribe;

  /** @param limit number of events that may wait for the consumer */
  constructor(subscribe: Subscribe, limit: number) {
    this.#queue = new EventQueue(limit);
    this.#subscribe = subscribe;
    dropped?.register(this, this.#queue);
  }

  next(): Promise<Result> {
    this.#queue.start(this.#subscribe);
    return this.#queue.read();
  }

  async return(): Promise<Result> {
    this.#queue.end();
    return DONE;
  }

  async throw(error: unknown): Promise<Result> {
    this.#queue.end();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
