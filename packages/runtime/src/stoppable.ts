/** Something that runs until it is stopped. Stopping finishes what is in flight. */
export interface Stoppable {
  readonly stop: () => Promise<void>;
}
