import { call } from '../subscription/call.ts';

/** Shortest time between two notifications, in ms: a frame of 60 Hz. A burst of changes is shown once. */
const FRAME_MS = 16;

/** Listeners of a state that may change more often than it can be shown. */
export class FrameListeners {
  readonly #listeners = new Set<() => void>();
  #notifiedAt = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  get size(): number {
    return this.#listeners.size;
  }

  /** @returns a function that removes the listener */
  add(listener: () => void): () => void {
    // A function of its own, so that the same listener can be added twice.
    const added = (): void => listener();
    if (!this.#isClosed) this.#listeners.add(added);
    return () => void this.#listeners.delete(added);
  }

  /** Notifies the listeners, at once or at the end of the frame. */
  changed(): void {
    if (this.#isClosed || this.#timer !== undefined) return;
    const elapsed = performance.now() - this.#notifiedAt;
    if (elapsed >= FRAME_MS) this.#notify();
    else this.#timer = setTimeout(() => this.#notify(), FRAME_MS - elapsed);
  }

  close(): void {
    this.#isClosed = true;
    this.#listeners.clear();
    clearTimeout(this.#timer);
  }

  #notify(): void {
    this.#timer = undefined;
    this.#notifiedAt = performance.now();
    for (const listener of [...this.#listeners]) call(listener);
  }
}
