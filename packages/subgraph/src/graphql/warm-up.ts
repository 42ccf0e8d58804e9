/** Maximum time that a warm-up delays the start, in milliseconds. */
const WITHIN_MS = 300;
/** Number of executions after which V8 has compiled most of what each operation uses. */
const TIMES = 60;

/** An operation that uses all steps of the pipeline and reads no data. */
export const WARM_UP = `query WarmUp($representations: [_Any!]!) {
  __typename
  _entities(representations: $representations) { __typename }
}`;

/**
 * Runs an operation repeatedly before a process reports that it is ready, so that V8 has compiled the code
 * when the first client comes.
 * @param run runs the operation; the number makes its text new, so that it is also parsed and validated
 */
export async function warmUp(run: (turn: number) => Promise<unknown>): Promise<void> {
  const until = performance.now() + WITHIN_MS;
  for (let turn = 0; turn < TIMES && performance.now() < until; turn += 1) await run(turn);
}
