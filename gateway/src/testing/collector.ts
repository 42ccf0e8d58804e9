import type { FormattedExecutionResult } from 'graphql';
import type { Client } from 'graphql-ws';

type Outcome = { next: FormattedExecutionResult } | { error: unknown } | { complete: true };

/** Subscribes and collects the results; `take` returns them in order. */
export function collect(client: Client, query: string, variables: Record<string, unknown> = {}) {
  const came: Outcome[] = [];
  let wake = (): void => {};
  const add = (outcome: Outcome): void => {
    came.push(outcome);
    wake();
  };
  const leave = client.subscribe(
    { query, variables },
    {
      next: (result) => add({ next: result as FormattedExecutionResult }),
      error: (error) => add({ error }),
      complete: () => add({ complete: true }),
    },
  );
  return {
    leave,
    came,
    /**
     * Returns the next outcome, and waits for it if necessary. Only the test's time-out limits the
     * wait.
     */
    take: async (): Promise<Outcome> => {
      while (came.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return came.shift() as Outcome;
    },
  };
}

/**
 * Returns the field `n` of each collected event of the feed.
 * @throws if the stream received anything else
 */
export function feedNumbers({ came }: Pick<ReturnType<typeof collect>, 'came'>): number[] {
  return came.map((one) => {
    if (!('next' in one) || !one.next.data) throw new Error(`not an event: ${JSON.stringify(one)}`);
    return (one.next.data as { itemFeed: { n: number } }).itemFeed.n;
  });
}

/** Resolves when the gateway has handled every earlier message of the client. */
export async function handled(client: Client): Promise<void> {
  await collect(client, '{ __typename }').take();
}
