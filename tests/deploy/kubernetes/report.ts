import { setTimeout as delay } from 'node:timers/promises';

/** Prints one line per check and counts the failures. */
export class Report {
  #failures = 0;

  /** Runs a check. It fails if `run` throws. @returns whether it passed */
  async check(name: string, run: () => Promise<string | undefined>): Promise<boolean> {
    const from = performance.now();
    try {
      const detail = await run();
      const seconds = ((performance.now() - from) / 1000).toFixed(1);
      this.print(`ok      ${name}${detail ? `: ${detail}` : ''} (${seconds} s)`);
      return true;
    } catch (error) {
      this.#failures += 1;
      this.print(`FAILED  ${name}: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    }
  }

  skip(name: string, reason: string): void {
    this.print(`skipped ${name}: ${reason}`);
  }

  /** Prints a line that is not the result of a check. */
  print(line: string): void {
    process.stdout.write(`${line}\n`);
  }

  get failures(): number {
    return this.#failures;
  }
}

/**
 * Calls `attempt` until it returns a value other than undefined.
 * @param within in seconds
 * @throws the last error of `attempt`, or one that names `until`
 */
export async function poll<T>(
  until: string,
  within: number,
  attempt: () => Promise<T | undefined>,
): Promise<T> {
  const deadline = performance.now() + within * 1000;
  let last: unknown;
  while (performance.now() < deadline) {
    try {
      const found = await attempt();
      if (found !== undefined) return found;
    } catch (error) {
      last = error;
    }
    await delay(200);
  }
  const reason = last instanceof Error ? `: ${last.message}` : '';
  throw new Error(`not within ${within} s: ${until}${reason}`);
}
