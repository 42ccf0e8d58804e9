import type { ClientError } from '../client-error.ts';
import type { SubscribeHandlers } from '../live-client.ts';
import type { LiveEvent } from '../live-event.ts';

/** The functions of a subscription that the iterator calls. */
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
const dropped =
  globalThis.FinalizationRegistry && new FinalizationRegistry<EventQueue>((queue) => queue.end());

/**
 * Events that wait for the consumer. When there are too many, the subscription is paused, and continues
 * after the last event of the queue when the queue is empty. So a consumer of any speed misses nothing,
 * and the memory is bounded.
 */
class EventQueue {
  readonly #limit: number;
  readonly #subscribe: Subscribe;
  #events: LiveEvent<unknown>[] = [];
  #readers: ((result: Result | Promise<never>) => void)[] = [];
  #subscription: IteratedSubscription | undefined;
  #isPaused = false;
  #hasEnded = false;
  #error: ClientError | undefined;

  constructor(subscribe: Subscribe, limit: number) {
    this.#subscribe = subscribe;
    this.#limit = limit;
  }

  async read(): Promise<Result> {
    const value = this.#events.shift();
    if (value) {
      if (this.#isPaused && this.#events.length === 0) {
        this.#isPaused = false;
        this.#subscription?.resume();
      }
      return { done: false, value };
    }
    if (this.#hasEnded) return this.#result();
    this.#start();
    return new Promise((resolve) => this.#readers.push(resolve));
  }

  /** Drops all events, and ends the subscription. */
  end(): void {
    this.#events = [];
    this.#subscription?.close();
    this.#finish();
  }

  #start(): void {
    this.#subscription ??= this.#subscribe({
      next: (event) => this.#add(event),
      error: (error) => {
        this.#error = error;
        this.#finish();
      },
      complete: () => this.#finish(),
    });
  }

  #add(value: LiveEvent<unknown>): void {
    const reader = this.#readers.shift();
    if (reader) reader({ done: false, value });
    else if (this.#events.push(value) >= this.#limit) {
      this.#isPaused = true;
      this.#subscription?.pause();
    }
  }

  #finish(): void {
    this.#hasEnded = true;
    for (const reader of this.#readers.splice(0)) reader(this.#result());
  }

  /** The result of a reader after the end: the error, once. */
  #result(): Result | Promise<never> {
    const error = this.#error;
    this.#error = undefined;
    return error ? Promise.reject(error) : DONE;
  }
}

/**
 * Iterates over the events of one subscription, which begins with the first `next`.
 * @param limit number of events that may wait for the consumer
 */
export function iterate(
  subscribe: Subscribe,
  limit: number,
): AsyncIterableIterator<LiveEvent<unknown>, undefined> {
  const queue = new EventQueue(subscribe, limit);
  const iterator: AsyncIterableIterator<LiveEvent<unknown>, undefined> = {
    next: () => queue.read(),
    return: async () => {
      queue.end();
      return DONE;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
  dropped?.register(iterator, queue);
  return iterator;
}
