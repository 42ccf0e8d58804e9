/**
 * What clients of this gateway may know by now: what they wrote, once a mutation has been answered,
 * and what a live stream has shown them. Nothing that was begun before may answer them.
 */
export interface Invalidation {
  /** Grows with each mutation and event; what is begun at the same moment is as fresh. */
  readonly generation: () => number;
  /** To be called just before a mutation's answer is sent, whatever it says. */
  readonly mutationAnswered: () => void;
  /** To be called when an event of a live stream has come, before it is shown to anybody. */
  readonly eventReceived: () => void;
}

export function createInvalidation(): Invalidation {
  let generation = 0;
  const next = (): void => {
    generation += 1;
  };
  return { generation: () => generation, mutationAnswered: next, eventReceived: next };
}
