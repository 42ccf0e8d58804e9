/**
 * Creates a group commit: requests that arrive while a group runs form the next group. A request that
 * arrives while no group runs does not wait. A hundred requests that arrive while a group runs share one
 * transaction. If a group fails because of one request's data (`separable`), the requests of the group
 * run again one by one, so that only the request with this data fails.
 */
export function createGroupCommit<I, O>({
  run,
  limit,
  separable,
}: {
  run: (inputs: readonly I[]) => Promise<readonly O[]>;
  /** Maximum number of requests in a group. */
  limit: number;
  /** Whether the data of a single request may have caused the error. */
  separable: (error: unknown) => boolean;
}): (input: I) => Promise<O> {
  interface Waiting {
    readonly input: I;
    readonly resolve: (output: O) => void;
    readonly reject: (error: unknown) => void;
  }
  let waiting: Waiting[] = [];
  let running = false;

  const runGroup = async (group: readonly Waiting[]): Promise<void> => {
    try {
      const outputs = await run(group.map(({ input }) => input));
      group.forEach(({ resolve }, index) => {
        resolve(outputs[index] as O);
      });
    } catch (error) {
      if (group.length > 1 && separable(error)) {
        for (const request of group) await runGroup([request]);
      } else {
        for (const { reject } of group) reject(error);
      }
    }
  };

  const runAll = async (): Promise<void> => {
    running = true;
    while (waiting.length > 0) {
      const group = waiting.slice(0, limit);
      waiting = waiting.slice(limit);
      await runGroup(group);
    }
    running = false;
  };

  return (input) =>
    new Promise((resolve, reject) => {
      waiting.push({ input, resolve, reject });
      if (!running) void runAll();
    });
}
