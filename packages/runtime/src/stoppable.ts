/** A running part of a process. Stopping it finishes the work in flight. */
export interface Stoppable {
  readonly stop: () => Promise<void>;
}
