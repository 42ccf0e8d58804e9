import type { GatewayContext } from '../context.ts';

/**
 * Read-your-writes for deduplicated requests. A client must see the mutations that this gateway has
 * answered and the events that its live streams have delivered, so work that started before them is
 * not shared with requests that arrive after them.
 */
export interface Invalidation {
  /** Number of invalidations: increases with each answered mutation and each event. */
  readonly generation: () => number;
  /** Call just before the answer to a mutation is sent, also when it failed. */
  readonly mutationAnswered: () => void;
  /** Call when an event of a live stream has arrived, before it is delivered. */
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

/**
 * Runs an operation. After a mutation, invalidates before the answer is returned; also after a
 * failed one, which may have changed something.
 * @param onQuery called when the operation turns out to be a query
 */
export async function runAndInvalidate<T>(
  { mutationAnswered }: Pick<Invalidation, 'mutationAnswered'>,
  context: GatewayContext,
  run: (context: GatewayContext) => Promise<T>,
  onQuery?: () => void,
): Promise<T> {
  let isMutation = false;
  const onOperationType: GatewayContext['onOperationType'] = (type) => {
    if (type === 'query') onQuery?.();
    isMutation = type === 'mutation';
  };
  try {
    return await run({ ...context, onOperationType });
  } finally {
    if (isMutation) mutationAnswered();
  }
}
