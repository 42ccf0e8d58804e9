import { call } from './subscription/call.ts';

/** Functions of the app that are called when something changes. */
export class Listeners<A extends unknown[]> {
  readonly #functions = new Set<(...args: A) => void>();

  /** @returns a function that removes the listener */
  add(listener: (...args: A) => void): () => void {
    this.#functions.add(listener);
    return () => void this.#functions.delete(listener);
  }

  emit(...args: A): void {
    for (const listener of [...this.#functions]) call(listener, ...args);
  }

  clear(): void {
    this.#functions.clear();
  }
}
