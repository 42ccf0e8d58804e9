/**
 * Read-your-writes for deduplicated requests. A client must see the mutations that this gateway has
 * answered and the events that its live streams have delivered. Therefore, a request that arrives
 * after a mutation or event does not share work that started before that mutation or event.
 */
export interface Invalidation {
  /** Number of invalidations. It increases with each answered mutation and each event. */
  readonly generation: () => number;
  /** Call it just before the answer to a mutation is sent, even if the mutation failed. */
  readonly mutationAnswered: () => void;
  /** Call it when an event of a live stream has arrived, before the event is delivered. */
  readonly eventReceived: () => void;
}

export function createInvalidation(): Invalidation {
  let generation = 0;
  const increment = (): void => {
    generation += 1;
  };
  return {
    generation: () => generation,
    mutationAnswered: increment,
    eventReceived: increment,
  };
}
