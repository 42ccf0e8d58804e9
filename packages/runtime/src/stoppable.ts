/** A running part of a process. `stop` finishes the work in flight. */
export interface Stoppable {
  readonly stop: () => Promise<void>;
}
