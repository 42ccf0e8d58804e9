/**
 * Runs single requests in groups: all that arrive while one group is under way make up the next,
 * so that a lone request waits for nothing and a hundred share one transaction.
 * A group that fails is run again one by one where `separable` says that one of it may be at
 * fault, so that it fails alone.
 */
export function createGroupCommit<I, O>({
  run,
  limit,
  separable,
}: {
  run: (inputs: readonly I[]) => Promise<readonly O[]>;
  /** The most requests in one group. */
  limit: number;
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
        for (const one of group) await runGroup([one]);
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
