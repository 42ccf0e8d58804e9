import { startLive } from '../../system/live-client.ts';
import type { OrderWatcher } from '../history.ts';

const ORDER_CHANGED = `subscription ($id: ID!) { orderChanged(id: $id) { status } }`;

interface Changed {
  readonly orderChanged: { readonly status: string };
}

export interface RunningOrderWatcher {
  readonly watched: () => OrderWatcher;
  readonly close: () => Promise<void>;
}

/** A live client that follows one order to its end, and comes back after a lost connection. */
export async function startOrderWatcher({
  name,
  url,
  orderId,
}: {
  name: string;
  url: () => string;
  orderId: string;
}): Promise<RunningOrderWatcher> {
  const variables = { id: orderId };
  const live = await startLive<Changed>({
    url: () => `${url()}/graphql`,
    query: ORDER_CHANGED,
    variables,
    resume: () => variables,
  });
  return {
    watched: () => ({
      name,
      orderId,
      seen: live.seen().map(({ orderChanged }) => orderChanged.status),
      completed: live.completed(),
      errors: live.errors().map(({ message }) => message),
    }),
    close: live.close,
  };
}
