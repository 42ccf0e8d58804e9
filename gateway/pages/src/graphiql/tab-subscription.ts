import type { Observable } from '@graphiql/toolkit';
import type { ExecutionResult } from 'graphql';

/** Receives the results of a subscription. */
export interface Sink {
  readonly next: (result: ExecutionResult) => void;
  readonly error: (error: unknown) => void;
  readonly complete: () => void;
}

interface Options {
  /** Starts the subscription. @returns a function that stops it */
  readonly start: (sink: Sink) => () => void;
  /** Whether GraphiQL shows the subscription's tab. */
  readonly isShown: () => boolean;
  /** Called after GraphiQL has unsubscribed. */
  readonly onDetached: () => void;
  /** Called after each result that GraphiQL does not get. */
  readonly onHiddenResult: () => void;
  /** Called when GraphiQL has got the end of the subscription, or when it was stopped. */
  readonly onEnd: () => void;
}

type End = { readonly error: unknown } | 'complete';

/**
 * A subscription that GraphiQL can leave and observe again.
 *
 * - attached: GraphiQL observes it and shows each result.
 * - detached: it runs, and the newest result waits for GraphiQL.
 * - ended: by the server, by a failure or by `stop`. The end waits for GraphiQL too.
 */
export class TabSubscription {
  readonly #options: Options;
  #observer: Sink | undefined;
  #latest: ExecutionResult | undefined;
  #end: End | undefined;
  #unsubscribe: (() => void) | undefined;
  /** Number of results since the start. */
  count = 0;
  /** Whether GraphiQL was given `results` and has not observed them yet. */
  isAwaited = true;

  constructor(options: Options) {
    this.#options = options;
  }

  get isAttached(): boolean {
    return this.#observer !== undefined;
  }

  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  /** The observable of GraphiQL. The subscription starts when it is observed first. */
  readonly results: Observable<ExecutionResult> = {
    subscribe: (observer: unknown) => {
      const sink = observer as Sink;
      this.isAwaited = false;
      this.#observer = sink;
      this.#unsubscribe ??= this.#options.start({
        next: (result) => this.#receive(result),
        error: (error) => this.#finish({ error }),
        complete: () => this.#finish('complete'),
      });
      // GraphiQL stores what this function returns, so the results must arrive after the return.
      queueMicrotask(() => {
        if (this.#observer !== sink) return;
        if (this.#latest) sink.next(this.#latest);
        if (this.#end) this.#deliverEnd(sink, this.#end);
      });
      return {
        unsubscribe: () => {
          if (this.#observer !== sink) return;
          this.#observer = undefined;
          // GraphiQL unsubscribes before it changes its tabs, so the reason is known only afterwards.
          queueMicrotask(this.#options.onDetached);
        },
      };
    },
  };

  stop(): void {
    this.#observer = undefined;
    this.#unsubscribe?.();
    this.#options.onEnd();
  }

  #receive(result: ExecutionResult): void {
    this.count += 1;
    this.#latest = result;
    if (this.#observer && this.#options.isShown()) this.#observer.next(result);
    else this.#options.onHiddenResult();
  }

  #finish(end: End): void {
    this.#end = end;
    if (this.#observer && this.#options.isShown()) this.#deliverEnd(this.#observer, end);
    else this.#options.onHiddenResult();
  }

  #deliverEnd(observer: Sink, end: End): void {
    this.#observer = undefined;
    if (end === 'complete') observer.complete();
    else observer.error(end.error);
    this.#options.onEnd();
  }
}
