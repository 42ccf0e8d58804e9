import { Listeners } from '../listeners.ts';

/** Shortest time between two notifications, in ms: a frame of 60 Hz. A burst of changes is shown once. */
const FRAME_MS = 16;

/** Listeners of a state that may change more often than it can be shown. */
export class FrameListeners {
  readonly #listeners = new Listeners<[]>();
  #notifiedAt = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @returns a function that removes the listener */
  add(listener: () => void): () => void {
    // A function of its own, so that the same listener can be added twice.
    return this.#listeners.add(() => listener());
  }

  /** Notifies the listeners, at once or at the end of the frame. */
  changed(): void {
    const wait = FRAME_MS - (performance.now() - this.#notifiedAt);
    if (wait <= 0) this.#notify();
    else this.#timer ??= setTimeout(() => this.#notify(), wait);
  }

  clear(): void {
    this.#listeners.clear();
    clearTimeout(this.#timer);
  }

  #notify(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#notifiedAt = performance.now();
    this.#listeners.emit();
  }
}
