import { FrameListeners } from '../list/frame-listeners.ts';

/** Something that runs, with a state that React shows. */
export interface Running<TState> {
  get(): TState;
  stop(): void;
}

/**
 * Runs something while components show its state, so that a render that React discards starts nothing. It
 * stops a moment after the last component is gone: StrictMode and a moved component come back at once.
 */
export class WhileShown<TState, TRunning extends Running<TState>> {
  readonly #listeners = new FrameListeners();
  readonly #start: (changed: () => void) => TRunning;
  readonly #initial: TState;
  /** Number of components. */
  #shown = 0;
  #running: TRunning | undefined;
  #stopping: ReturnType<typeof setTimeout> | undefined;

  /** @param initial the state before the first start, and on the server */
  constructor(initial: TState, start: (changed: () => void) => TRunning) {
    this.#initial = initial;
    this.#start = start;
  }

  /** Undefined if no component shows its state. */
  get running(): TRunning | undefined {
    return this.#running;
  }

  readonly get = (): TState => this.#running?.get() ?? this.#initial;
  readonly getInitial = (): TState => this.#initial;

  readonly subscribe = (listener: () => void): (() => void) => {
    clearTimeout(this.#stopping);
    const remove = this.#listeners.add(listener);
    this.#shown += 1;
    this.#running ??= this.#start(() => this.#listeners.changed());
    return () => {
      remove();
      this.#shown -= 1;
      if (this.#shown > 0) return;
      this.#stopping = setTimeout(() => {
        this.#running?.stop();
        this.#running = undefined;
        this.#listeners.clear();
      });
    };
  };
}
