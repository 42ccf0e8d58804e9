import type { FormattedExecutionResult } from 'graphql';
import type { Client } from 'graphql-ws';

type Outcome = { next: FormattedExecutionResult } | { error: unknown } | { complete: true };

/** Subscribes and keeps what comes, to be taken in order. */
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
    /** The next outcome; the test's own timeout is the limit. */
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

/** Resolves when the gateway has read all that the client sent before. */
export async function handled(client: Client): Promise<void> {
  await collect(client, '{ __typename }').take();
}
